"""Settings are read once, strictly, and everything wrong is told at the same time."""

from pathlib import Path

import pytest

import config

SECRETS = {"SECRET_KEY": "a-secret-for-tests-only", "CONTACT_PEPPER": "a-pepper-for-tests-only"}


def problems(**environ: str) -> list[str]:
    with pytest.raises(config.SettingsMissing) as refused:
        config.load(environ)
    return [line.removeprefix("- ").split(":")[0] for line in str(refused.value).splitlines()[1:]]


def test_secrets_are_all_that_must_be_set() -> None:
    loaded = config.load(SECRETS)
    assert loaded.DATABASE_URL == "sqlite:///" + str(config.INSTANCE / "surveyapp.sqlite3")
    assert (loaded.BASE_URL, loaded.EMAIL_BACKEND, loaded.SMS_BACKEND) == ("http://127.0.0.1:5000", "mailbox", "phone")


def test_without_secrets_both_are_named() -> None:
    assert problems() == ["SECRET_KEY", "CONTACT_PEPPER"]
    short = {"SECRET_KEY": "short", "CONTACT_PEPPER": ""}
    assert problems(**short) == ["SECRET_KEY", "CONTACT_PEPPER"]


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"PROXY_HOPS": "-1"}, ["PROXY_HOPS"]),
        ({"PROXY_HOPS": "1.5"}, ["PROXY_HOPS"]),
        ({"PROXY_HOPS": "٣"}, ["PROXY_HOPS"]),
        ({"DEMO": "maybe"}, ["DEMO"]),
        ({"LOG_LEVEL": "loud"}, ["LOG_LEVEL"]),
        ({"EMAIL_BACKEND": "pigeon", "SMS_BACKEND": "drum"}, ["EMAIL_BACKEND", "SMS_BACKEND"]),
        ({"EMAIL_BACKEND": "sendgrid"}, ["SENDGRID_API_KEY"]),
        ({"SEND_BATCH": "0", "LEASE_SECONDS": "0"}, ["SEND_BATCH", "LEASE_SECONDS"]),
        ({"EMAIL_FROM": "nobody"}, ["EMAIL_FROM"]),
        ({"EMAIL_FROM": "Us <us at example.org>"}, ["EMAIL_FROM"]),
        ({"EMAIL_FROM": "Us\r\nBcc: all <us@example.org>"}, ["EMAIL_FROM"]),
        ({"SMS_SEGMENT_PRICE": "0,045 EUR"}, ["SMS_SEGMENT_PRICE"]),
        ({"REDIS_URL": "localhost"}, ["REDIS_URL"]),
        ({"SENDGRID_API_URL": "nope", "TWILIO_API_URL": "ftp://host"}, ["SENDGRID_API_URL", "TWILIO_API_URL"]),
        ({"SMTP_URL": "mail.example.org"}, ["SMTP_URL"]),
        ({"EMAIL_BACKEND": "smtp"}, ["SMTP_URL"]),
        ({"EMAIL_BACKEND": "smtp", "SMTP_URL": "http://mail.example.org"}, ["SMTP_URL"]),
        ({"EMAIL_BACKEND": "smtp", "SMTP_URL": "smtp://mail.example.org:port"}, ["SMTP_URL"]),
        ({"EMAIL_BACKEND": "smtp", "SMTP_URL": "smtp://a.org", "EMAIL_FALLBACK": "smtp"}, ["EMAIL_FALLBACK"]),
        ({"EMAIL_FALLBACK": "sendgrid"}, ["SENDGRID_API_KEY", "EMAIL_FALLBACK"]),
        ({"SMS_BACKEND": "twilio"}, ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"]),
        ({"CELERY_BROKER_URL": "redis://127.0.0.1"}, ["CELERY_BROKER_URL"]),
        ({"BASE_URL": "ask.example.org"}, ["BASE_URL"]),
        ({"BASE_URL": "https://"}, ["BASE_URL"]),
        ({"BASE_URL": "ftp://ask.example.org"}, ["BASE_URL"]),
        ({"DATABASE_URL": "mysql://somewhere/else"}, ["DATABASE_URL"]),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], named: list[str]) -> None:
    assert problems(**SECRETS, **environ) == named


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_a_postgresql_address_uses_the_driver_we_ship(scheme: str) -> None:
    loaded = config.load({**SECRETS, "DATABASE_URL": f"{scheme}://someone@db/surveys"})
    assert loaded.DATABASE_URL == "postgresql+psycopg://someone@db/surveys"


def test_the_folder_of_an_sqlite_file_is_made(tmp_path: Path) -> None:
    config.load({**SECRETS, "DATABASE_URL": f"sqlite:///{tmp_path}/new/file.sqlite3"})
    assert (tmp_path / "new").is_dir()


def test_the_base_address_loses_its_last_slash_and_decides_about_cookies() -> None:
    settings = config.load({**SECRETS, "BASE_URL": "https://ask.example.org/"}).flask_settings()
    assert settings["BASE_URL"] == "https://ask.example.org"
    assert (settings["SESSION_COOKIE_SECURE"], settings["SESSION_COOKIE_NAME"]) == (True, "__Host-session")


def test_older_secrets_are_listed() -> None:
    settings = config.load({**SECRETS, "SECRET_KEY_FALLBACKS": "older-secret,oldest-secret"}).flask_settings()
    assert settings["SECRET_KEY_FALLBACKS"] == ["older-secret", "oldest-secret"]
