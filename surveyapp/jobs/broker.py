"""How this installation speaks to its broker: Celery's settings and the name of its queue. Says nothing to it itself.

Celery is an optional package: this file is imported only where CELERY_BROKER_URL asks for it.
"""

import hashlib
import hmac
from typing import Any

from celery import Celery

SETTINGS: dict[str, Any] = {
    "accept_content": ["json"],
    "task_serializer": "json",
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_ignore_result": True,
    "task_publish_retry": False,
    "worker_prefetch_multiplier": 1,
    "worker_hijack_root_logger": False,
    "broker_connection_retry_on_startup": True,
    "broker_connection_timeout": 3,
    "enable_utc": True,
}


def build(broker: str, pepper: str) -> Celery:
    """A Celery application for this installation."""
    made = Celery("surveyapp", set_as_current=False)
    made.add_defaults(lambda: settings(broker, pepper))
    return made


def settings(broker: str, pepper: str) -> dict[str, Any]:
    """Celery's settings. The queue is the installation's own, so that two may share a broker."""
    mark = hmac.new(pepper.encode(), b"celery queue", hashlib.sha256).hexdigest()[:8]
    return SETTINGS | {"broker_url": broker, "task_default_queue": f"surveyapp-{mark}"}
