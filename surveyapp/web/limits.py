"""How often a caller may call: the application's limiters, of this process or of all by Redis."""

from importlib import import_module

from flask import current_app

from surveyapp.web.buckets import Limiter


def limiter(name: str) -> Limiter:
    """The application's limiter of that name, made when first asked for; shared with other processes by REDIS_URL."""
    extensions, settings = current_app.extensions, current_app.config
    if f"{name}_limiter" not in extensions:
        url = settings["REDIS_URL"]
        made = shared(url, name, settings["CONTACT_PEPPER"]) if url else Limiter()
        extensions.setdefault(f"{name}_limiter", made)
    found: Limiter = extensions[f"{name}_limiter"]
    return found


def shared(url: str, name: str, pepper: str) -> Limiter:
    """A limiter that shares its buckets through Redis. The client is an optional package, imported when asked for."""
    made: Limiter = import_module("surveyapp.web.shared_limits").SharedLimiter(url, name, pepper)
    return made
