"""Users, keys, partners: what a change leaves behind, and what it refuses."""

import threading
from datetime import UTC, datetime

import pytest
from flask_openapi3 import OpenAPI
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

import config
from surveyapp.models import ApiKey, AuditEntry, Partner, User
from surveyapp.services import accounts, audit, keys, partners, vault
from tests.conftest import MakeApp
from tests.people import PASSWORD, make_partner, make_user

START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def test_the_last_administrator_can_be_neither_disabled_nor_demoted(
    session: scoped_session[Session], app: OpenAPI
) -> None:
    admin, gone = make_user(), make_user(disabled_at=START)
    for change in (accounts.disable_user, lambda i: accounts.change_role(i, "editor")):
        with pytest.raises(accounts.LastAdmin):
            change(admin.id)
    accounts.enable_user(gone.id)
    accounts.disable_user(admin.id)
    with pytest.raises(accounts.LastAdmin):
        accounts.disable_user(gone.id)


@pytest.mark.database("postgresql")
def test_two_administrators_cannot_disable_each_other_at_once(app: OpenAPI, session: scoped_session[Session]) -> None:
    admins = [make_user().id, make_user().id]
    refused = []
    start = threading.Barrier(2)

    def disable(user_id: int) -> None:
        with app.app_context():
            start.wait()
            try:
                accounts.disable_user(user_id)
            except accounts.LastAdmin:
                refused.append(user_id)

    threads = [threading.Thread(target=disable, args=(i,)) for i in admins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1


def test_a_role_change_raises_the_epoch_and_says_from_what_to_what(
    session: scoped_session[Session], app: OpenAPI
) -> None:
    user = make_user("analyst")
    partner = make_partner("acme")
    accounts.change_role(user.id, "partner", "acme")
    session.expire_all()
    assert (user.role, user.partner_id, user.auth_epoch) == ("partner", partner.id, 1)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "user.role_changed")).one()
    assert entry.detail == {"from": "analyst", "to": "partner", "partner": "acme"}
    accounts.change_role(user.id, "editor")
    session.expire_all()
    assert (user.partner_id, user.auth_epoch) == (None, 2)


def test_a_refused_change_changes_nothing(session: scoped_session[Session], app: OpenAPI) -> None:
    user = make_user("analyst")
    for role, partner in (("owner", None), ("partner", None), ("editor", "acme")):
        with pytest.raises(accounts.UserRefused):
            accounts.change_role(user.id, role, partner)
    session.expire_all()
    assert (user.role, user.auth_epoch) == ("analyst", 0)
    assert session.scalars(select(AuditEntry)).all() == []


def test_an_audit_row_names_the_actor_of_the_context(session: scoped_session[Session], app: OpenAPI) -> None:
    token = audit.actor.set("ada@example.org")
    try:
        keys.create_key("till", "ingest")
    finally:
        audit.actor.reset(token)
    key = session.scalars(select(ApiKey)).one()
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.actor, entry.action, entry.object) == ("ada@example.org", "key.created", key.prefix)


def test_a_key_is_revoked_once(session: scoped_session[Session], app: OpenAPI) -> None:
    keys.create_key("till", "ingest")
    number = session.scalars(select(ApiKey.id)).one()
    keys.revoke_key(number)
    with pytest.raises(keys.KeyUnknown):
        keys.revoke_key(number)


def test_a_partner_s_secret_survives_a_rotation_of_ours_and_is_replaced_by_its_own(
    app: OpenAPI, session: scoped_session[Session], make_app: MakeApp
) -> None:
    made = keys.create_partner("acme", "Acme", ["https://acme.example"])
    sealed = session.scalars(select(Partner.secret_encrypted)).one()
    url = app.config["DATABASE_URL"]
    rotated = make_app(url, SECRET_KEY="a-newer-secret-for-tests", SECRET_KEY_FALLBACKS="a-secret-for-tests-only")
    with rotated.app_context():
        assert vault.unseal(sealed) == made.secret
    with make_app(url, SECRET_KEY="a-newer-secret-for-tests").app_context(), pytest.raises(vault.SecretUnreadable):
        vault.unseal(sealed)
    fresh = partners.rotate_secret("acme")
    session.expire_all()
    assert fresh != made.secret
    assert vault.unseal(session.scalars(select(Partner.secret_encrypted)).one()) == fresh


def test_passwords_are_kept_as_argon2id(session: scoped_session[Session], app: OpenAPI) -> None:
    accounts.set_password(accounts.create_user("ada@example.org", "admin"), PASSWORD)
    kept = session.scalars(select(User.password_hash)).one()
    assert kept is not None
    assert kept.startswith("$argon2id$")
    assert accounts.fits(kept, PASSWORD)
    assert not accounts.fits(kept, PASSWORD + " ")
    assert not accounts.fits(None, PASSWORD)


def test_the_demo_s_administrator_is_made_once_and_keeps_a_password_of_their_own(
    app: OpenAPI, session: scoped_session[Session], tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "INSTANCE", tmp_path)
    first = accounts.ensure_demo_admin()
    assert accounts.ensure_demo_admin() == first
    assert session.scalars(select(User.email)).all() == ["admin@demo.example"]
    number = session.scalars(select(User.id)).one()
    accounts.set_password(accounts.new_password_link(number), PASSWORD)
    assert accounts.ensure_demo_admin() == ("admin@demo.example", "(the password you chose)")
