"""One JSON line per happening, with request and job ids; never addresses, names, answers or tokens."""

import logging
import sys
from typing import Any

import structlog


def configure(level: str) -> None:
    """Send structured lines to standard error from `level` on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get(name: str) -> Any:
    """The logger of one module: `log.info("message_sent", channel="email", message=uid)`."""
    return structlog.get_logger(module=name)
