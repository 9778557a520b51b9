"""The ways out that this installation is configured for, built once per application."""

from flask import current_app

from surveyapp import clock
from surveyapp.channels import registry
from surveyapp.channels.base import Sender
from surveyapp.services import mailbox


def configured() -> dict[str, Sender]:
    """The senders by channel; connections they hold live as long as the application."""
    extensions = current_app.extensions
    if "surveyapp_senders" not in extensions:
        extensions["surveyapp_senders"] = registry.senders(current_app.config, mailbox.store, clock.now)
    senders: dict[str, Sender] = extensions["surveyapp_senders"]
    return senders
