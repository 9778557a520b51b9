"""One JSON line per happening, with request and job ids; never addresses, names, answers or tokens."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog


def configure(level: str) -> None:
    """Send structured lines to standard error from `level` on.

    The ticker's own words are left out: that a job is still running when its next turn comes is no news.
    """
    logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where_it_failed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def get(name: str) -> Any:
    """The logger of one module: `log.info("message_sent", channel="email", message=uid)`."""
    return structlog.get_logger(module=name)


def _where_it_failed(logger: Any, method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Write an exception down by its kinds and the code it passed: its text may quote what a person sent."""
    found = line.pop("exc_info", None)
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    parts: list[str] = []
    while isinstance(error, BaseException) and len(parts) < 10:
        parts.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return {**line, "exception": "\n".join(parts)} if parts else line
