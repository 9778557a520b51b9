"""create_app: settings, extensions, surfaces, commands, errors. Modules define; only this function does."""

from pathlib import Path

from flask_openapi3 import APIBlueprint, Info, OpenAPI
from sqlalchemy import Engine
from werkzeug.middleware.proxy_fix import ProxyFix

import config as settings
from surveyapp import cli, logs, models
from surveyapp.extensions import babel, csrf, db, install_sqlite_hooks, login, migrate, spare_pings
from surveyapp.jobs import commands
from surveyapp.web import compression, errors, headers, problems, security
from surveyapp.web.api import idempotency, strict
from surveyapp.web.surfaces import SURFACES

__all__ = ["create_app", "models"]

ROOT = Path(__file__).resolve().parent.parent


def create_app(config: settings.Config | None = None) -> OpenAPI:
    """The application. Raises config.SettingsMissing when a setting is missing or wrong."""
    config = config or settings.load()
    logs.configure(config.LOG_LEVEL)
    app = OpenAPI(
        __name__,
        info=Info(title="surveyapp", version="1", description="Ask one question at the right step of a journey."),
        security_schemes={"bearer": {"type": "http", "scheme": "bearer"}},
        doc_ui=False,
        validation_error_callback=problems.invalid,
        template_folder=str(ROOT / "templates"),
        instance_path=str(ROOT / "instance"),
    )
    app.config.from_mapping(config.flask_settings())
    if config.PROXY_HOPS:
        hops = config.PROXY_HOPS
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    for extension in (db, csrf, login, babel):
        extension.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    with app.app_context():
        install_sqlite_hooks(_engine())
        spare_pings(_engine())
    security.guard(app, SURFACES)
    headers.protect(app)
    compression.compress(app)
    strict.install(app)
    idempotency.install(app)
    for surface in SURFACES:
        if isinstance(surface.blueprint, APIBlueprint):
            app.register_api(surface.blueprint, url_prefix=surface.prefix)
        else:
            app.register_blueprint(surface.blueprint, url_prefix=surface.prefix)
    errors.register(app)
    cli.register(app)
    commands.register(app)
    return app


def _engine() -> Engine:
    return db.engine
