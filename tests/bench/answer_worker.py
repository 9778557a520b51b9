"""`python -m tests.bench.answer_worker URL MODE`: for every line `FIRST LAST`, answers these and prints the seconds.

MODE `bare` leaves the roll-up out, which nothing but this measurement may do.
"""

import sys
import time
from contextlib import nullcontext

from surveyapp import create_app
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.extensions import db
from surveyapp.models import Invitation
from surveyapp.services import responses, rollups
from tests.databases import testing_config


def main() -> None:
    url, mode = sys.argv[1:]
    if mode == "bare":
        rollups.count = lambda *given: None
        rollups.moving = lambda *given: nullcontext()
    app = create_app(testing_config(url, TESTING=False))
    with app.app_context():
        print("ready", flush=True)
        for line in sys.stdin:
            first, last = (int(number) for number in line.split())
            began = time.perf_counter()
            for number in range(first, last + 1):
                answer(number)
            print(time.perf_counter() - began, flush=True)


def answer(number: int) -> None:
    invitation = db.session.get_one(Invitation, number)
    responses.record(invitation, score=5, status=ResponseStatus.CONFIRMED, channel="email")
    db.session.expunge_all()


if __name__ == "__main__":
    main()
