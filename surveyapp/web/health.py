"""Is the process alive, is the installation ready, and how busy is it? For load balancers and Prometheus."""

from datetime import timedelta

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, ProcessCollector, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from surveyapp import clock
from surveyapp.domain.vocabulary import KeyRole
from surveyapp.extensions import db
from surveyapp.queries import installation
from surveyapp.web import security

blueprint = Blueprint("health", __name__)
LOOPBACK = ("127.0.0.1", "::1")
WINDOW = timedelta(hours=1)


@blueprint.get("/healthz")
def alive() -> ResponseReturnValue:
    return jsonify(status="ok")


@blueprint.get("/readyz")
def ready() -> ResponseReturnValue:
    """200 when the database answers and stands at the newest migration, else 503 saying which does not."""
    try:
        security.read_only()
        current = installation.applied_migration(db.session) == installation.newest_migration()
    except SQLAlchemyError:
        return jsonify(status="not ready", database="unreachable", migrations="unknown"), 503
    if not current:
        return jsonify(status="not ready", database="ok", migrations="behind"), 503
    return jsonify(status="ok", database="ok", migrations="ok")


@blueprint.get("/metrics")
def metrics() -> ResponseReturnValue:
    """Figures of the whole installation, read from the database, so that every process gives the same."""
    if not _may_read_metrics():
        abort(404)
    security.read_only()
    return generate_latest(_registry()), 200, {"Content-Type": CONTENT_TYPE_LATEST}


def _may_read_metrics() -> bool:
    """This machine itself, unless it is a proxy speaking for somebody else; or an admin key."""
    if request.remote_addr in LOOPBACK and not any(h in request.headers for h in ("X-Forwarded-For", "Forwarded")):
        return True
    key = security.calling_key()
    return key is not None and key.role == KeyRole.ADMIN


def _registry() -> CollectorRegistry:
    now = clock.database_now(db.session)
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    queue = installation.queue(db.session, now)
    messages = Gauge("surveyapp_messages", "Messages not yet handed over", ["state"], registry=registry)
    for state in ("planned", "due", "sending"):
        messages.labels(state).set(getattr(queue, state))
    late = Gauge("surveyapp_oldest_due_seconds", "Age of the longest overdue message", registry=registry)
    late.set((now - queue.oldest_due).total_seconds() if queue.oldest_due else 0)
    decisions = Gauge(
        "surveyapp_decisions_last_hour", "Decisions by outcome and reason", ["outcome", "reason"], registry=registry
    )
    for (outcome, reason), count in installation.decisions_since(db.session, now - WINDOW).items():
        decisions.labels(outcome, reason).set(count)
    responses = Gauge("surveyapp_responses_last_hour", "Responses by status", ["status"], registry=registry)
    for status, count in installation.responses_since(db.session, now - WINDOW).items():
        responses.labels(status).set(count)
    finished = Gauge(
        "surveyapp_job_last_finished", "When a job last ended, in Unix seconds", ["job"], registry=registry
    )
    for run in installation.job_runs(db.session):
        if run.finished_at:
            finished.labels(run.name).set(run.finished_at.timestamp())
    return registry
