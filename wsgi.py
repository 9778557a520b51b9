"""The WSGI entry: `granian --interface wsgi wsgi:app`, `flask --app wsgi …`."""

import sys

from config import SettingsMissing
from surveyapp import create_app

try:
    app = create_app()
except SettingsMissing as problem:
    sys.exit(str(problem))
