"""The local phone: takes every text message and shows it as the reader's phone would. Nothing leaves the machine."""

from collections.abc import Mapping
from typing import Any

from surveyapp.channels.base import Now, Store
from surveyapp.channels.mailbox import Local
from surveyapp.domain.vocabulary import Channel


def build(settings: Mapping[str, Any], store: Store, now: Now) -> Local:
    """The phone as the sender of text messages."""
    return Local("phone", Channel.SMS, store)
