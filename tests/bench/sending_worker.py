"""`python -m tests.bench.sending_worker SETTINGS`: a dispatcher of its own that sends until nothing is due."""

import json
import sys

from surveyapp import create_app
from surveyapp.services import delivery, senders
from tests.databases import testing_config


def main() -> None:
    settings = json.loads(sys.argv[1])
    app = create_app(testing_config(settings.pop("DATABASE_URL"), **settings))
    with app.app_context():
        while delivery.send_due(senders.configured()).claimed:
            pass


if __name__ == "__main__":
    main()
