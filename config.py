"""Every setting: name, type, default, meaning. The only reader of the environment."""

import os
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from dataclasses import field as _field
from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent
INSTANCE = ROOT / "instance"
SECRET_LENGTH = 16


class SettingsMissing(Exception):
    """The start is refused; the message lists everything that is missing or wrong, one line each."""


def setting(default: Any, meaning: str) -> Any:
    return _field(default=default, metadata={"meaning": meaning})


@dataclass(frozen=True)
class Config:
    """One line per setting. Production refuses to start without the secrets and says all that is missing."""

    DATABASE_URL: str = setting("", "Where data lives. Empty: SQLite under `instance/`. Or `postgresql+psycopg://…`")
    SECRET_KEY: str = setting("", "Signs links and sessions. Required; `make demo` makes one under `instance/`")
    SECRET_KEY_FALLBACKS: str = setting("", "Older secrets, comma-separated, whose links still open")
    CONTACT_PEPPER: str = setting("", "Keys the hashes of addresses and the sampling coin. Required, never rotated")
    BASE_URL: str = setting("http://127.0.0.1:5000", "The address customers reach; every link starts with it")
    EMAIL_BACKEND: str = setting("mailbox", "`mailbox` (local), `sendgrid` or `smtp`")
    EMAIL_FALLBACK: str = setting("", "`smtp` or `sendgrid`: takes what the first definitely did not. Empty: none")
    EMAIL_FROM: str = setting("questions@localhost.localdomain", "Sender of e-mails; a bare one gets the brand's name")
    SENDGRID_API_KEY: str = setting("", "SendGrid's key")
    SENDGRID_API_URL: str = setting("", "Another address for SendGrid's API (a stand-in on loopback)")
    SENDGRID_WEBHOOK_PUBLIC_KEY: str = setting("", "SendGrid's public key for signed event webhooks (base64)")
    SMTP_URL: str = setting("", "`smtp://user:password@host:587?starttls=1`")
    SMS_BACKEND: str = setting("phone", "`phone` (local) or `twilio`")
    TWILIO_ACCOUNT_SID: str = setting("", "Twilio's account")
    TWILIO_AUTH_TOKEN: str = setting("", "Twilio's token; also checks the signature of its calls")
    TWILIO_API_URL: str = setting("", "Another address for Twilio's API (a stand-in on loopback)")
    TWILIO_FROM: str = setting("", "Number or name that texts come from")
    TWILIO_MESSAGING_SERVICE_SID: str = setting("", "Twilio messaging service, instead of `TWILIO_FROM`")
    SMS_SEGMENT_PRICE: str = setting(
        "", "What one segment of a text costs, such as `0.045 EUR`; empty: no price is shown"
    )
    CELERY_BROKER_URL: str = setting("", "Empty: jobs run in the scheduler process. Or a RabbitMQ or Redis address")
    REDIS_URL: str = setting("", "Empty: request limits are kept in memory. Otherwise shared through Redis")
    PROXY_HOPS: int = setting(0, "How many proxies in front are trusted for `X-Forwarded-*`")
    LOG_LEVEL: str = setting("INFO", "`DEBUG`, `INFO`, `WARNING` or `ERROR`")
    SEND_BATCH: int = setting(50, "Messages handed to an e-mail provider in one call; 1 gives the narrowest loss")
    EMAIL_PER_MINUTE: int = setting(0, "E-mails that may leave in a minute, over all processes; 0: any number")
    SMS_PER_MINUTE: int = setting(0, "Texts that may leave in a minute, over all processes; 0: any number")
    OUTCOME_JOURNAL: str = setting(
        "",
        "Folder where outcomes wait while the database is away, and what left last. Empty: `instance/outcomes`",
    )
    LEASE_SECONDS: int = setting(60, "How long a claimed message may take before the reaper looks at it")
    RESPONSE_EDIT_HOURS: int = setting(24, "How long an answer may be changed")
    LINK_EVIDENCE_DAYS: int = setting(30, "How long fetches of links are kept, as hashes, to tell robots from people")
    KEY_CALLS_PER_MINUTE: int = setting(
        50_000, "Calls one API key may make in a minute, by each web process (of all with `REDIS_URL`); 0: any number"
    )
    WEBHOOKS_TO_LOOPBACK: bool = setting(
        False,
        "Whether webhooks may lead to this machine itself, by plain http too: for trying, never in production",
    )
    PASSWORD_HASH_COST: str = setting("normal", "`normal`, or `cheap` for tests")
    DEMO: bool = setting(False, "Set by `make demo`: secrets may be made on the spot, the try-it page exists")
    TESTING: bool = setting(False, "Set by the tests")

    def flask_settings(self) -> dict[str, Any]:
        """The settings as Flask reads them, with the derived ones that libraries expect."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        https = self.BASE_URL.startswith("https://")
        return values | {
            "SQLALCHEMY_DATABASE_URI": self.DATABASE_URL,
            "SQLALCHEMY_ENGINE_OPTIONS": engine_options(self.DATABASE_URL),
            "SECRET_KEY_FALLBACKS": [k for k in self.SECRET_KEY_FALLBACKS.split(",") if k],
            "SESSION_COOKIE_NAME": "__Host-session" if https else "session",
            "SESSION_COOKIE_SECURE": https,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "MAX_CONTENT_LENGTH": 8 * 1024 * 1024,
            "MAX_FORM_MEMORY_SIZE": 500_000,
            "MAX_FORM_PARTS": 1_000,
            "WTF_CSRF_TIME_LIMIT": None,
            "WTF_CSRF_CHECK_DEFAULT": False,
        }


def engine_options(url: str) -> dict[str, Any]:
    """How to connect. Bound values stay out of error texts, so that no answer or address reaches a log."""
    if url.startswith("postgresql"):
        options = "-c statement_timeout=30s -c lock_timeout=5s -c idle_in_transaction_session_timeout=60s"
        # The connection used last is taken first: its server process still has everything at hand.
        pool = {"pool_pre_ping": True, "pool_size": 10, "max_overflow": 5, "pool_use_lifo": True}
        return {**pool, "hide_parameters": True, "connect_args": {"options": options}}
    return {"hide_parameters": True, "connect_args": {"timeout": 5}}


def normalised_url(url: str) -> str:
    """The database address with the driver we ship, or the embedded default."""
    if not url:
        return f"sqlite:///{INSTANCE / 'surveyapp.sqlite3'}"
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def made_secret(name: str) -> str:
    """A secret kept under instance/, made at the first call, so that a demo's links survive a restart."""
    path = INSTANCE / name.lower()
    if not path.exists():
        INSTANCE.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text().strip()


def _parse(name: str, kind: type, text: str, problems: list[str]) -> Any:
    if kind is bool:
        if text.lower() in {"1", "true", "yes", "on"}:
            return True
        if text.lower() in {"", "0", "false", "no", "off"}:
            return False
        problems.append(f"{name}: '{text}' is neither true nor false")
        return False
    if kind is int:
        if text.isascii() and text.isdigit():
            return int(text)
        problems.append(f"{name}: '{text}' is not a whole number")
        return 0
    return text


CHOICES = {
    "EMAIL_BACKEND": ("mailbox", "sendgrid", "smtp"),
    "EMAIL_FALLBACK": ("", "sendgrid", "smtp"),
    "SMS_BACKEND": ("phone", "twilio"),
    "LOG_LEVEL": ("DEBUG", "INFO", "WARNING", "ERROR"),
    "PASSWORD_HASH_COST": ("normal", "cheap"),
}
ADDRESSES = {
    "SMTP_URL": "smtp://user:password@host:587?starttls=1 or smtps://…",
    "SENDGRID_API_URL": "https://host or http://host:port",
    "TWILIO_API_URL": "https://host or http://host:port",
    "REDIS_URL": "redis://host:6379/0 or rediss://…",
}
AT_LEAST_ONE = ("SEND_BATCH", "LEASE_SECONDS")
NEEDED_BY = {
    ("EMAIL_BACKEND", "sendgrid"): ("SENDGRID_API_KEY",),
    ("EMAIL_BACKEND", "smtp"): ("SMTP_URL",),
    ("EMAIL_FALLBACK", "sendgrid"): ("SENDGRID_API_KEY",),
    ("EMAIL_FALLBACK", "smtp"): ("SMTP_URL",),
    ("SMS_BACKEND", "twilio"): ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"),
}


def load(environ: Mapping[str, str] | None = None) -> Config:
    """The configuration from the environment.

    Raises SettingsMissing naming every problem at once. A demo's secrets lie under `instance/` and are used
    when the environment names none and that demo has been run.
    """
    here = environ is None
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    values: dict[str, Any] = {}
    for f in fields(Config):
        if f.name in environ:
            values[f.name] = _parse(f.name, f.type, environ[f.name].strip(), problems)  # type: ignore[arg-type]
    values["DATABASE_URL"] = normalised_url(values.get("DATABASE_URL", ""))
    if here and (values.get("DEMO") or (INSTANCE / "demo").exists()):
        _fill_from_demo(values)
    if "BASE_URL" in values:
        values["BASE_URL"] = values["BASE_URL"].rstrip("/")
    problems += [*_wrong_secrets(values), *_wrong_choices(values), *_wrong_alone(values), *_wrong_together(values)]
    if problems:
        raise SettingsMissing("surveyapp cannot start:\n" + "\n".join(f"- {p}" for p in problems))
    if values["DATABASE_URL"].startswith("sqlite:///"):
        Path(values["DATABASE_URL"].removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    return Config(**values)


def _fill_from_demo(values: dict[str, Any]) -> None:
    """What the environment leaves open, as `make demo` keeps it under `instance/`."""
    for name in ("SECRET_KEY", "CONTACT_PEPPER"):
        if not values.get(name):
            values[name] = made_secret(name)
    if "BASE_URL" not in values and (INSTANCE / "demo").exists():
        values["BASE_URL"] = (INSTANCE / "demo").read_text().strip() or Config.BASE_URL


def _wrong_secrets(values: Mapping[str, Any]) -> Iterator[str]:
    recipe = "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
    for name in ("SECRET_KEY", "CONTACT_PEPPER"):
        if not values.get(name):
            yield f"{name}: missing. Make one with: {recipe}"
        elif len(values[name]) < SECRET_LENGTH:
            yield f"{name}: shorter than {SECRET_LENGTH} characters"


def _wrong_choices(values: Mapping[str, Any]) -> Iterator[str]:
    for name, allowed in CHOICES.items():
        if name in values and values[name] not in allowed:
            yield f"{name}: '{values[name]}' is none of {', '.join(allowed)}"
    for (name, choice), needed in NEEDED_BY.items():
        if values.get(name) == choice:
            yield from (f"{n}: missing, {name}={choice} needs it" for n in needed if not values.get(n))


def _wrong_alone(values: Mapping[str, Any]) -> Iterator[str]:
    for name, example in ADDRESSES.items():
        schemes = [part.partition(":")[0] for part in example.split(" or ")]
        if values.get(name) and not _is_address(values[name], schemes):
            yield f"{name}: must read {example}"
    if values.get("REDIS_URL") and find_spec("redis") is None:
        yield "REDIS_URL: the Redis client is not installed; it comes with docs/requirements-celery.txt"
    for name in AT_LEAST_ONE:
        if values.get(name) == 0:
            yield f"{name}: must be at least 1"
    price = values.get("SMS_SEGMENT_PRICE")
    if price and not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})? [A-Z]{3}", price):
        yield "SMS_SEGMENT_PRICE: must read like 0.045 EUR"
    sender = values.get("EMAIL_FROM")
    if sender is not None and not (sender.isprintable() and re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", parseaddr(sender)[1])):
        yield "EMAIL_FROM: must be an address such as questions@example.org, or 'Name <questions@example.org>'"


def _is_address(text: str, schemes: Collection[str]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _wrong_together(values: Mapping[str, Any]) -> Iterator[str]:
    sender = values.get("TWILIO_FROM") or values.get("TWILIO_MESSAGING_SERVICE_SID")
    if values.get("SMS_BACKEND") == "twilio" and not sender:
        yield "TWILIO_FROM: missing, SMS_BACKEND=twilio needs it or TWILIO_MESSAGING_SERVICE_SID"
    fallback = values.get("EMAIL_FALLBACK")
    if fallback and values.get("EMAIL_BACKEND", "mailbox") in ("mailbox", fallback):
        yield f"EMAIL_FALLBACK: {fallback} needs another provider before it in EMAIL_BACKEND"
    if values.get("CELERY_BROKER_URL") and values["DATABASE_URL"].startswith("sqlite"):
        yield "CELERY_BROKER_URL: Celery needs PostgreSQL; with SQLite leave it empty"
    if not values["DATABASE_URL"].startswith(("sqlite:", "postgresql+psycopg:")):
        yield "DATABASE_URL: must start with sqlite:/// or postgresql+psycopg://"
    base = urlsplit(values.get("BASE_URL", Config.BASE_URL))
    if base.scheme not in ("http", "https") or not base.hostname or base.query or base.fragment:
        yield "BASE_URL: must be an address that starts with http:// or https://"
