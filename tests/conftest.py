"""Fixtures for every test. A test that asks for `app`, `client` or `database_url` runs once per kind of database.

`--database sqlite` or `--database postgresql` runs one kind only; `@pytest.mark.database("postgresql")` ties a test
to one kind.
"""

import contextvars
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask
from flask.globals import _cv_app
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy.orm import Session, scoped_session
from werkzeug.test import TestResponse

from surveyapp import create_app
from surveyapp.extensions import db
from surveyapp.services import audit
from tests import builders, people
from tests.databases import PostgresDatabases, SqliteFiles, hurry, testing_config
from tests.postgres import NoPostgres, Server

KINDS = ("sqlite", "postgresql")
MUST_HAVE_ALL = os.environ.get("CI", "").lower() == "true"
# The same examples are tried every time; EXPLORE=1 looks for new ones.
hypothesis.settings.register_profile("suite", deadline=None, print_blob=True, derandomize=not os.environ.get("EXPLORE"))
hypothesis.settings.load_profile("suite")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("both", *KINDS), default="both", help="which databases to test on")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("database")
    kinds = marker.args if marker else KINDS
    chosen = metafunc.config.getoption("--database")
    metafunc.parametrize("database_kind", [k for k in kinds if chosen in ("both", k)], scope="function")


class OnePostgres:
    """Starts the server when first asked and stops it when the run ends. With xdist the controller holds it."""

    def __init__(self) -> None:
        self.server: Server | None = None
        self.missing: str | None = None

    def url(self) -> str | None:
        if self.server is None and self.missing is None:
            try:
                self.server = Server()
            except NoPostgres as problem:
                self.missing = str(problem)
        return self.server.url() if self.server else None

    def stop(self) -> None:
        if self.server:
            self.server.stop()


POSTGRES = OnePostgres()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """With xdist: hands the one server to every worker."""
    if node.config.getoption("--database") != "sqlite":
        node.workerinput["postgres_url"] = POSTGRES.url()
        node.workerinput["postgres_missing"] = POSTGRES.missing


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "database(kind): run on this kind of database only")
    config.addinivalue_line("markers", "own_app: the test changes the application itself and gets a new one")
    config.addinivalue_line("markers", "slow: a long run, left out of `make test`")


def pytest_unconfigure() -> None:
    POSTGRES.stop()


@pytest.fixture(autouse=True)
def _begin_anew() -> None:
    """Numbers begin at 1, and nobody of an earlier test is thought to act."""
    builders.number_anew()
    people.number_anew()
    audit.actor.set("system")


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    return str(getattr(request.config, "workerinput", {}).get("workerid", "main"))


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest, worker: str) -> Iterator[PostgresDatabases]:
    """The databases of this worker on the run's PostgreSQL; skips (fails where CI=true) when there is none."""
    given = getattr(request.config, "workerinput", None)
    url = given.get("postgres_url") if given else POSTGRES.url()
    if url is None:
        reason = (given or {}).get("postgres_missing") or POSTGRES.missing or "no PostgreSQL"
        if MUST_HAVE_ALL:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    databases = PostgresDatabases(url, worker)
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> SqliteFiles:
    return SqliteFiles(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest) -> str:
    """A migrated, empty database of this test's kind."""
    if database_kind == "sqlite":
        files: SqliteFiles = request.getfixturevalue("sqlite_files")
        return files.copy()
    databases: PostgresDatabases = request.getfixturevalue("postgres")
    return databases.shared()


@pytest.fixture
def postgres_url(postgres: PostgresDatabases) -> Iterator[str]:
    """A migrated PostgreSQL database of its own (synchronous_commit=on), for threads, processes and races."""
    url = postgres.fresh()
    yield url
    postgres.drop(url)


@pytest.fixture
def unmigrated_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table, for the tests of the migrations."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'unmigrated.sqlite3'}"
        return
    databases: PostgresDatabases = request.getfixturevalue("postgres")
    url = databases.fresh(migrated=False)
    yield url
    databases.drop(url)


class Client(FlaskClient):
    """A test client whose requests are like real ones: their own context, session and login, never the test's.

    What the test has not committed is committed first, so that the request sees it and finds no lock; what the test
    had loaded is read afresh afterwards.
    """

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        def request() -> TestResponse:
            _cv_app.set(None)  # type: ignore[arg-type]
            kwargs["buffered"] = True  # a streamed answer is read where its context lives
            return FlaskClient.open(self, *args, **kwargs)

        if not _cv_app.get(None):
            return FlaskClient.open(self, *args, **kwargs)
        db.session.commit()
        response = contextvars.copy_context().run(request)
        db.session.expire_all()
        return response


class CompiledTemplates(BytecodeCache):
    """Templates compiled once per process: every application of a test would compile the same ones again."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = CompiledTemplates()
MakeApp = Callable[..., OpenAPI]


def _application(database_url: str, settings: dict[str, object]) -> OpenAPI:
    app = create_app(testing_config(database_url, **settings))
    app.test_client_class = Client
    app.jinja_env.bytecode_cache = COMPILED
    with app.app_context():
        hurry(db.engine)
    return app


@pytest.fixture
def make_app() -> Iterator[MakeApp]:
    """`make_app(url, **settings)`: an application with its own engine, as another process has; no context pushed."""
    made: list[Flask] = []

    def make(database_url: str, **settings: object) -> OpenAPI:
        app = _application(database_url, settings)
        made.append(app)
        return app

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            for engine in db.engines.values():
                engine.dispose()


@pytest.fixture
def settings() -> dict[str, object]:
    """Settings that differ from the usual ones of a test; a test module may override this fixture."""
    return {}


class KeptApps:
    """Applications for tests to use one after another: building one and its templates costs more than most tests.

    What a test changed is set back: settings, and everything that was built on first use (limiters, senders …). An
    application whose routes or guards a test changed would lie to the next one, so that fails at once.
    """

    def __init__(self) -> None:
        self._last: OpenAPI | None = None
        self._kept: dict[tuple[object, ...], tuple[OpenAPI, dict[str, Any], dict[str, Any], object]] = {}

    def get(self, database_url: str, settings: dict[str, object]) -> OpenAPI:
        key = (database_url, *sorted(settings.items()))
        if key not in self._kept:
            app = _application(database_url, settings)
            self._kept[key] = (app, dict(app.config), dict(app.extensions), self._doors(app))
        app, config, extensions, _ = self._kept[key]
        if self._last is not app:
            self.disconnect()
            self._last = app
        for now, first in ((app.config, config), (app.extensions, extensions)):
            now.clear()
            now.update(first)
        return app

    def disconnect(self) -> None:
        """Close the connections of the application that was used last; until then the next test goes on with them."""
        if self._last is not None:
            with self._last.app_context():
                db.engine.dispose()

    def check(self, app: OpenAPI) -> None:
        """Fail when a test changed the routes or guards of an application that others will use."""
        for kept, _, _, doors in self._kept.values():
            assert kept is not app or self._doors(app) == doors, "mark this test with own_app"

    @staticmethod
    def _doors(app: OpenAPI) -> object:
        guards = [(kind, list(functions)) for kind, functions in app.before_request_funcs.items() if functions]
        return dict(app.view_functions), guards


@pytest.fixture(scope="session")
def kept_apps() -> Iterator[KeptApps]:
    kept = KeptApps()
    yield kept
    kept.disconnect()


@pytest.fixture
def app(
    request: pytest.FixtureRequest,
    database_url: str,
    make_app: MakeApp,
    kept_apps: KeptApps,
    settings: dict[str, object],
) -> Iterator[OpenAPI]:
    """The application on a migrated, empty database, with an application context pushed for the test itself.

    It served earlier tests; `@pytest.mark.own_app` gives one of the test's own, to add routes to.
    """
    own = request.node.get_closest_marker("own_app")
    application = make_app(database_url, **settings) if own else kept_apps.get(database_url, settings)
    with application.app_context():
        try:
            yield application
        finally:
            db.session.remove()
            if db.engine.dialect.name == "sqlite":  # the next test gets another file
                db.engine.dispose()
    kept_apps.check(application)


@pytest.fixture
def session(app: OpenAPI) -> scoped_session[Session]:
    """The test's own database session."""
    return db.session


@pytest.fixture
def client(app: OpenAPI) -> FlaskClient:
    return app.test_client()
