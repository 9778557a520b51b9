"""The doctor names what is wrong, and changes nothing."""

import pytest
from flask_openapi3 import OpenAPI

from surveyapp.extensions import db
from surveyapp.models import Brand, ChannelState, ContactKey, Customer
from surveyapp.queries import installation
from surveyapp.services import accounts
from tests.builders import MOMENT, make_customer
from tests.conftest import MakeApp


def said(app: OpenAPI) -> tuple[int, list[str]]:
    result = app.test_cli_runner().invoke(args=["doctor"])
    return result.exit_code, [line.removeprefix("- ").split(":")[0] for line in result.output.splitlines()]


@pytest.fixture
def healthy(app: OpenAPI) -> OpenAPI:
    db.session.add(Brand(name="Oddjob", language="en", languages=["en"], timezone="Europe/Paris"))
    db.session.commit()
    accounts.create_user("ada@example.org", "admin")
    return app


def test_a_healthy_installation_has_no_complaints(healthy: OpenAPI) -> None:
    assert said(healthy) == (0, ["Nothing is misconfigured."])


def test_an_empty_installation_lacks_an_admin_and_a_programme(app: OpenAPI) -> None:
    assert said(app) == (1, ["Nobody can administer", "No programme is applied, so nobody is ever asked"])


def test_a_database_without_tables_is_sent_to_the_migrations(unmigrated_url: str, make_app: MakeApp) -> None:
    app = make_app(unmigrated_url)
    with app.app_context():
        assert said(app) == (1, ["DATABASE_URL"])


def test_an_unreachable_database_is_said_in_words(make_app: MakeApp) -> None:
    app = make_app("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with app.app_context():
        assert said(app) == (1, ["DATABASE_URL"])


def test_a_changed_pepper_is_noticed(healthy: OpenAPI) -> None:
    customer: Customer = make_customer(email="ada@example.org")
    db.session.add(ContactKey(customer_id=customer.id, key="e:0123456789abcdef0123456789abcdef"))
    db.session.commit()
    assert said(healthy) == (1, ["CONTACT_PEPPER"])


def test_a_stopped_channel_is_named(healthy: OpenAPI) -> None:
    db.session.add(ChannelState(channel="sms", stopped_at=MOMENT, reason="bad credentials"))
    db.session.commit()
    assert said(healthy) == (1, ["Channel sms"])


@pytest.mark.parametrize("settings", [{"BASE_URL": "http://ask.example.org", "DEMO": True}])
def test_a_public_address_needs_https_and_real_providers(healthy: OpenAPI) -> None:
    assert said(healthy) == (1, ["BASE_URL", "DEMO", "EMAIL_BACKEND", "SMS_BACKEND"])


def test_a_database_is_empty_until_there_is_a_programme_or_a_customer(app: OpenAPI) -> None:
    assert installation.is_empty(db.session) is True
    make_customer()
    assert installation.is_empty(db.session) is False
