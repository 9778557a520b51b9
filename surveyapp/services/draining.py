"""Whether this process has been asked to stop: what is in the provider's hands is finished, nothing new is begun.

The mark lies in memory that is shared with every process forked from this one, so that a parent can ask them all. It is
one byte without a lock: a signal handler may set it at any moment.
"""

import mmap

_asked = mmap.mmap(-1, 1)


def begin() -> None:
    """Begin no further call, here and in what was forked from here. Safe to call from a signal handler."""
    _asked[0] = 1


def under_way() -> bool:
    return _asked[0] == 1


def end() -> None:
    """Go on as before."""
    _asked[0] = 0
