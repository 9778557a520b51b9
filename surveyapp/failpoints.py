"""Named points at which a test may stop, stall or kill a process. In production they do nothing."""

from collections.abc import Callable

_reached: Callable[[str], None] | None = None


def install(handler: Callable[[str], None] | None) -> None:
    """Call `handler` with the name of every point that is reached from now on; None takes it away."""
    global _reached
    _reached = handler


def reached(name: str) -> None:
    """Mark the point `name`."""
    if _reached is not None:
        _reached(name)
