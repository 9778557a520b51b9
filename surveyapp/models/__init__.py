"""The tables. Importing this package registers every one of them on the shared metadata."""

from surveyapp.models.accounts import ApiKey, Partner, PasswordLink, SignIn, SignInFailure, User
from surveyapp.models.audit import AuditEntry
from surveyapp.models.base import Base
from surveyapp.models.cases import Case
from surveyapp.models.customers import ContactKey, ContactSubject, Customer, Suppression
from surveyapp.models.dashboard import SavedView, StructuralBreak
from surveyapp.models.hooks import HookEvent, HookState, InboundText
from surveyapp.models.idempotency import KeyedCall
from surveyapp.models.indicators import Indicator, IndicatorValue
from surveyapp.models.invitations import ChannelState, Invitation, LocalMessage, Message
from surveyapp.models.jobs import JobRun, Lease
from surveyapp.models.journeys import Event, Journey, Step
from surveyapp.models.metrics import MetricCell, MetricDay
from surveyapp.models.outreach import Decision, LedgerEntry, PolicyDraft, PolicyVersion, Trigger
from surveyapp.models.programme import Brand, Dimension, ProgrammeVersion, ReportingAttribute, ReportingValue
from surveyapp.models.responses import LinkHit, Response, ResponseChange, Visit
from surveyapp.models.reviews import Review
from surveyapp.models.simulation import Simulation
from surveyapp.models.surveys import Survey, SurveyDraft, SurveyVersion
from surveyapp.models.test_answers import TestAnswer
from surveyapp.models.verbatims import Theme, Verbatim
from surveyapp.models.webhooks import Webhook, WebhookDelivery
from surveyapp.models.widget import WidgetSign

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Base",
    "Brand",
    "Case",
    "ChannelState",
    "ContactKey",
    "ContactSubject",
    "Customer",
    "Decision",
    "Dimension",
    "Event",
    "HookEvent",
    "HookState",
    "InboundText",
    "Indicator",
    "IndicatorValue",
    "Invitation",
    "JobRun",
    "Journey",
    "KeyedCall",
    "Lease",
    "LedgerEntry",
    "LinkHit",
    "LocalMessage",
    "Message",
    "MetricCell",
    "MetricDay",
    "Partner",
    "PasswordLink",
    "PolicyDraft",
    "PolicyVersion",
    "ProgrammeVersion",
    "ReportingAttribute",
    "ReportingValue",
    "Response",
    "ResponseChange",
    "Review",
    "SavedView",
    "SignIn",
    "SignInFailure",
    "Simulation",
    "Step",
    "StructuralBreak",
    "Suppression",
    "Survey",
    "SurveyDraft",
    "SurveyVersion",
    "Theme",
    "TestAnswer",
    "Trigger",
    "User",
    "Verbatim",
    "Visit",
    "Webhook",
    "WebhookDelivery",
    "WidgetSign",
]
