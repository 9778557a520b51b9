"""Alive, ready, and how busy."""

from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import text

from config import ROOT
from surveyapp.extensions import db
from surveyapp.models import JobRun
from surveyapp.services import keys
from tests.builders import MOMENT
from tests.conftest import MakeApp

MIGRATIONS = ROOT / "migrations" / "versions"


def test_a_running_process_says_it_is_alive(client: FlaskClient) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json) == (200, {"status": "ok"})


def test_a_migrated_database_is_ready(client: FlaskClient) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json) == (200, {"status": "ok", "database": "ok", "migrations": "ok"})


def test_a_database_behind_the_newest_migration_is_not_ready(client: FlaskClient) -> None:
    db.session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    response = client.get("/readyz")
    db.session.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest()})
    db.session.commit()
    assert (response.status_code, response.get_json()["migrations"]) == (503, "behind")


def newest() -> str:
    return max(path.name[:4] for path in MIGRATIONS.glob("[0-9]*.py"))


def test_an_unreachable_database_is_not_ready(make_app: MakeApp) -> None:
    client = make_app("postgresql+psycopg://nobody@127.0.0.1:1/none").test_client()
    response = client.get("/readyz")
    assert (response.status_code, response.get_json()["database"]) == (503, "unreachable")


def test_metrics_are_for_this_machine(client: FlaskClient) -> None:
    db.session.add(JobRun(name="dispatch", started_at=MOMENT, finished_at=MOMENT + timedelta(seconds=1)))
    response = client.get("/metrics")
    assert response.status_code == 200
    assert 'surveyapp_messages{state="planned"} 0.0' in response.text
    assert 'surveyapp_job_last_finished{job="dispatch"} 1.793610001e+09' in response.text


def test_metrics_are_not_for_others(client: FlaskClient) -> None:
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    assert client.get("/metrics", environ_base=elsewhere).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404


def test_metrics_open_with_an_admin_key_only(client: FlaskClient) -> None:
    elsewhere = {"REMOTE_ADDR": "203.0.113.9"}
    for role, status in (("read", 404), ("admin", 200)):
        secret = keys.create_key(role, role)
        headers = {"Authorization": f"Bearer {secret}"}
        assert client.get("/metrics", environ_base=elsewhere, headers=headers).status_code == status
