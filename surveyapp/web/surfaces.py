"""The one table of ways in: which blueprint, under which prefix, and who may enter. What is not listed is refused.

`reads` may call the safe methods (GET, HEAD, OPTIONS), `writes` the others. `ANYONE` needs no credential because
the page asks for none or carries its own authority (a signed token, a provider's signature).
"""

from surveyapp.domain.vocabulary import KeyRole, Role
from surveyapp.web import auth, dev, health
from surveyapp.web.admin import (
    accounts,
    cases,
    customers,
    dashboard,
    decisions,
    delivery,
    fatigue,
    home,
    indicators,
    journeys,
    message_preview,
    policy,
    programme,
    responses,
    reviews,
    simulation,
    survey_files,
    try_it,
    verbatims,
    why,
)
from surveyapp.web.admin import partners as admin_partners
from surveyapp.web.admin import webhooks as admin_webhooks
from surveyapp.web.api import (
    cases as api_cases,
)
from surveyapp.web.api import (
    customers as api_customers,
)
from surveyapp.web.api import (
    decisions as api_decisions,
)
from surveyapp.web.api import (
    document,
    event_log,
    events,
    track,
)
from surveyapp.web.api import (
    indicators as api_indicators,
)
from surveyapp.web.api import (
    metrics as api_metrics,
)
from surveyapp.web.api import (
    policy as api_policy,
)
from surveyapp.web.api import (
    policy_versions as api_policy_versions,
)
from surveyapp.web.api import (
    responses as api_responses,
)
from surveyapp.web.api import (
    reviews as api_reviews,
)
from surveyapp.web.api import (
    simulation as api_simulation,
)
from surveyapp.web.api import (
    webhooks as api_webhooks,
)
from surveyapp.web.partner import console as partner_console
from surveyapp.web.respond import pages, preferences
from surveyapp.web.security import ANYONE, By, Surface
from surveyapp.web.webhooks import sendgrid as hook_sendgrid
from surveyapp.web.webhooks import twilio as hook_twilio
from surveyapp.web.widget import calls as widget_calls

STAFF = frozenset({Role.ADMIN, Role.EDITOR, Role.ANALYST, Role.AGENT})
EDITORS = frozenset({Role.ADMIN, Role.EDITOR})
CARERS = EDITORS | {Role.AGENT}
ADMINS = frozenset({Role.ADMIN})
PARTNERS = frozenset({Role.PARTNER})
READ_KEYS = frozenset({KeyRole.READ, KeyRole.ADMIN})
INGEST_KEYS = frozenset({KeyRole.INGEST, KeyRole.ADMIN})
ADMIN_KEYS = frozenset({KeyRole.ADMIN})


SURFACES: tuple[Surface, ...] = (
    Surface(health.blueprint, "", By.NOTHING, ANYONE, ANYONE),
    Surface(auth.blueprint, "", By.FORM, ANYONE, ANYONE),
    Surface(pages.blueprint, "", By.NOTHING, ANYONE, ANYONE),
    Surface(preferences.blueprint, "", By.NOTHING, ANYONE, ANYONE),
    Surface(widget_calls.blueprint, "", By.NOTHING, ANYONE, ANYONE),
    Surface(dev.blueprint, "/dev", By.NOTHING, ANYONE, ANYONE),
    Surface(hook_sendgrid.blueprint, "/hooks", By.NOTHING, frozenset(), ANYONE),
    Surface(hook_twilio.blueprint, "/hooks", By.NOTHING, frozenset(), ANYONE),
    Surface(home.blueprint, "/admin", By.SESSION, STAFF, STAFF),
    Surface(journeys.blueprint, "/admin/journeys", By.SESSION, STAFF, EDITORS),
    Surface(dashboard.blueprint, "/admin/metrics", By.SESSION, STAFF, STAFF),
    Surface(responses.blueprint, "/admin/responses", By.SESSION, STAFF, EDITORS),
    Surface(verbatims.blueprint, "/admin/verbatims", By.SESSION, STAFF, EDITORS),
    Surface(reviews.blueprint, "/admin/reviews", By.SESSION, STAFF, EDITORS),
    Surface(indicators.blueprint, "/admin/indicators", By.SESSION, STAFF, EDITORS),
    Surface(cases.blueprint, "/admin/cases", By.SESSION, STAFF, CARERS),
    Surface(decisions.blueprint, "/admin/decisions", By.SESSION, STAFF, EDITORS),
    Surface(delivery.blueprint, "/admin/delivery", By.SESSION, STAFF, EDITORS),
    Surface(customers.blueprint, "/admin/customers", By.SESSION, STAFF, EDITORS),
    Surface(why.blueprint, "/admin/customers", By.SESSION, STAFF, frozenset()),
    Surface(policy.blueprint, "/admin/policy", By.SESSION, STAFF, EDITORS),
    Surface(simulation.blueprint, "/admin/policy/simulation", By.SESSION, STAFF, EDITORS),
    Surface(fatigue.blueprint, "/admin/policy/fatigue", By.SESSION, STAFF, EDITORS),
    Surface(programme.blueprint, "/admin/programme", By.SESSION, STAFF, EDITORS),
    Surface(survey_files.blueprint, "/admin/surveys", By.SESSION, STAFF, EDITORS),
    Surface(message_preview.blueprint, "/admin/messages", By.SESSION, STAFF, EDITORS),
    Surface(try_it.blueprint, "/admin/try", By.SESSION, STAFF, STAFF),
    Surface(accounts.blueprint, "/admin/access", By.SESSION, ADMINS, ADMINS),
    Surface(admin_partners.blueprint, "/admin/access", By.SESSION, ADMINS, ADMINS),
    Surface(admin_webhooks.blueprint, "/admin/access", By.SESSION, ADMINS, ADMINS),
    Surface(partner_console.blueprint, "/partner", By.SESSION, PARTNERS, PARTNERS),
    Surface(document.blueprint, "/api", By.NOTHING, ANYONE, frozenset()),
    Surface(events.blueprint, "/api/v1", By.BEARER, frozenset(), INGEST_KEYS),
    Surface(track.blueprint, "/v1", By.BASIC, frozenset(), INGEST_KEYS),
    Surface(api_customers.blueprint, "/api/v1", By.BEARER, READ_KEYS, INGEST_KEYS),
    Surface(api_decisions.blueprint, "/api/v1", By.BEARER, READ_KEYS, ADMIN_KEYS),
    Surface(api_policy.blueprint, "/api/v1", By.BEARER, READ_KEYS, ADMIN_KEYS),
    Surface(api_policy_versions.blueprint, "/api/v1", By.BEARER, READ_KEYS, ADMIN_KEYS),
    Surface(api_cases.blueprint, "/api/v1", By.BEARER, READ_KEYS, INGEST_KEYS),
    Surface(api_simulation.blueprint, "/api/v1", By.BEARER, frozenset(), READ_KEYS),
    Surface(api_responses.blueprint, "/api/v1", By.BEARER, READ_KEYS, ADMIN_KEYS),
    Surface(api_reviews.blueprint, "/api/v1", By.BEARER, READ_KEYS, ADMIN_KEYS),
    Surface(event_log.blueprint, "/api/v1", By.BEARER, READ_KEYS, frozenset()),
    Surface(api_indicators.blueprint, "/api/v1", By.BEARER, READ_KEYS, INGEST_KEYS),
    Surface(api_metrics.blueprint, "/api/v1", By.BEARER, READ_KEYS, ADMIN_KEYS),
    Surface(api_webhooks.blueprint, "/api/v1", By.BEARER, ADMIN_KEYS, ADMIN_KEYS),
)
