"""What an operator types. Each file holds one group of commands; `register` puts them all on the app."""

from flask import Flask

from surveyapp.cli import accounts, demo, doctor, policy, programme, rollups, send


def register(app: Flask) -> None:
    """Add every command of the contract to `flask`."""
    accounts.register(app)
    demo.register(app)
    doctor.register(app)
    policy.register(app)
    programme.register(app)
    rollups.register(app)
    send.register(app)
