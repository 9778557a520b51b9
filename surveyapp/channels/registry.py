"""Which module plays which backend. A backend that is not configured is never imported."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from surveyapp.channels.base import Build, Now, Sender, Store
from surveyapp.channels.failover import FailOver

BACKENDS = {
    "mailbox": "surveyapp.channels.mailbox",
    "phone": "surveyapp.channels.phone",
    "sendgrid": "surveyapp.channels.sendgrid",
    "smtp": "surveyapp.channels.smtp",
    "twilio": "surveyapp.channels.twilio",
}


def senders(settings: Mapping[str, Any], store: Store, now: Now) -> dict[str, Sender]:
    """The configured senders by channel (`email`, `sms`).

    `store` keeps what the local stand-ins receive; `now` tells how long a text message may still be delivered.
    """

    def built(backend: str) -> Sender:
        build: Build = import_module(BACKENDS[backend]).build
        return build(settings, store, now)

    mail, text = built(settings["EMAIL_BACKEND"]), built(settings["SMS_BACKEND"])
    if settings["EMAIL_FALLBACK"]:
        mail = FailOver(mail, built(settings["EMAIL_FALLBACK"]))
    return {mail.channel: mail, text.channel: text}
