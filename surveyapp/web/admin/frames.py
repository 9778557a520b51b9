"""The policies of console pages that show something of ours in a frame, and of what is shown in one."""

from surveyapp.web.headers import CONTENT_SECURITY_POLICY

SHOWN = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' https: data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'; sandbox"
)


def framing() -> str:
    """A page of the console that holds a frame of our own."""
    return f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"


def framed() -> str:
    """A page of ours with our own script, inside a frame of the console."""
    return CONTENT_SECURITY_POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
