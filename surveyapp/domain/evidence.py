"""The evidence of a verdict in words, for people: what was asked, answered or opened, when, and about what."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

CHANNELS = {"email": "e-mail", "sms": "text message", "web": "the web page"}


def evidence_words(item: object) -> str:
    """One stored piece of evidence as the end of a sentence; what is not understood is shown as it is."""
    if not isinstance(item, Mapping):
        return str(item)
    kind = item.get("kind")
    if kind in ("ask", "reminder"):
        what = "asked" if kind == "ask" else "reminded"
        by = CHANNELS.get(str(item.get("channel")), str(item.get("channel")))
        return f"{what} {_on(item.get('at'))} by {by}{_about(item)}" + (", answered" if item.get("answered") else "")
    if kind == "answer":
        return f"answered {_on(item.get('at'))}{_about(item)}"
    if kind == "event":
        return f"{item.get('step')} {_on(item.get('at'))}"
    if kind == "case":
        closed = f", closed {_on(item['closed_at'])}" if item.get("closed_at") else ", still open"
        return f"case opened {_on(item.get('at'))}{_about(item)}{closed}"
    if kind == "decision":
        trigger = item.get("trigger")
        return f"decision {item.get('decision')}" + (f" of {trigger}" if trigger else "")
    return str(dict(item))


def _on(at: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(at))
    except ValueError:
        return "at an unknown time"
    return f"on {moment.day} {moment:%b %Y, %H:%M} UTC"


def _about(item: Mapping[str, Any]) -> str:
    parts = [str(item[name]) for name in ("survey", "step", "instance") if item.get(name)]
    return f" about {', '.join(parts)}" if parts else ""
