"""Answers over a link, durable through the whole stack, against a bare view with one durable INSERT a request.

Measured twice, both sides always taking turns in one run on one PostgreSQL that waits for the disk at every commit.

Through the whole stack: the product and the bare view (`stack.bare_view`: reads the form, one INSERT that commits by
itself, a redirect) are mounted in the same processes of the server that docs/operations.md names, with its settings,
and the same small client posts to both over connections that are kept open. One at a time, a rate is the answers
divided by the time they took; by eight at once it is the answers of all divided by the time until the last was given.

In process: both through Flask's test client, without a server. Here is seen what an answer costs: statements, and
milliseconds of this process's CPU, the client's own included on both sides. The ratio of their times there is reported
in the details and has no aim of its own.
"""

import itertools
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import event

from surveyapp import clock
from surveyapp.domain.clicks import visit_uid
from surveyapp.domain.tokens import mint
from surveyapp.extensions import db
from tests.bench import stack
from tests.bench.harness import Bench, Result, connect, in_turns
from tests.builders import make_brand, make_invitation, make_reporting_attribute, make_step, make_survey

LEAST = 0.3
AIM = 300
AT_ONCE = 8
EACH = 10
PEERS = {"limesurvey": (483, 182.0), "formbricks": (106, 23.0)}  # statements shown and answered, ms of CPU an answer
Links = Iterator[tuple[str, str]]


def stored(bench: Bench) -> list[Result]:
    """One answer after another and eight at once through the server, then what one costs in process."""
    url, rounds, blocks = bench.database(), bench.size(600, 60), bench.size(10, 3)
    with bench.app(url) as app:
        with connect(url) as connection:
            connection.execute(stack.TABLE)
        many = rounds * 2 + (blocks + 2) * AT_ONCE * EACH + 120
        links = iter(_asked(str(app.config["SECRET_KEY"]), many))
        found = _in_process(app, url, links, rounds)
        with stack.served(url) as port:
            alone, together = _through_server(port, links, rounds, blocks)
    bench.drop(url)
    for one in (alone, together):
        one.detail.update({"aim_per_second": AIM} | found)
    return [alone, together]


def _asked(key: str, count: int) -> list[tuple[str, str]]:
    """So many people asked about a check-in: the address of each one's question and the visit their page carries."""
    make_brand()
    make_reporting_attribute("class", 1)
    version, step = make_survey("nps", "nps", follow_up="comment"), make_step()
    soon, found = clock.now() + timedelta(days=14), []
    for _ in range(count):
        uid = make_invitation(version, step=step, open_until=soon, properties={"class": "Business"}).uid
        found.append((f"/s/{mint('answer', uid, [key])}", _visit(uid, key)))
    db.session.remove()
    return found


def _visit(uid: str, key: str) -> str:
    return mint(f"visit of {uid}", visit_uid(clock.now(), secrets.token_urlsafe(9)), [key])


def _through_server(port: int, links: Links, rounds: int, blocks: int) -> tuple[Result, Result]:
    """The ratios through the server: one client that waits for each answer, and several at once."""
    clients = [stack.Client(port) for _ in range(AT_ONCE)]
    bare = itertools.cycle([next(links)])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ours, floor = (_block(pool, clients, *side) for side in (("", links), (stack.BARE, bare)))
        by_eight = in_turns([ours, floor], blocks, warm_up=2)  # every thread and connection is warm after that
    one_by_one = in_turns([_poster(clients[0], "", links), _poster(clients[0], stack.BARE, bare)], rounds, warm_up=20)
    for client in clients:
        client.close()
    return (
        _compared("answer_against_bare_insert", *(rounds / sum(times) for times in one_by_one)),
        _compared("answer_by_eight_against_bare", *(blocks * AT_ONCE * EACH / sum(times) for times in by_eight)),
    )


def _compared(name: str, rate: float, floor: float) -> Result:
    return Result(name, rate / floor, LEAST, "higher", {"per_second": round(rate), "floor_per_second": round(floor)})


def _poster(client: stack.Client, below: str, links: Links) -> Callable[[], None]:
    def post() -> None:
        _post(client, below, next(links))

    return post


def _post(client: stack.Client, below: str, link: tuple[str, str]) -> None:
    address, visit = link
    status = client.post(below + address, f"score=9&visit={visit}")
    assert status == 303, status


def _block(pool: ThreadPoolExecutor, clients: list[stack.Client], below: str, links: Links) -> Callable[[], None]:
    """Each client gives its share of answers, all clients at once."""

    def share(client: stack.Client, own: list[tuple[str, str]]) -> None:
        for link in own:
            _post(client, below, link)

    def give() -> None:
        shares = [[next(links) for _ in range(EACH)] for _ in clients]
        list(pool.map(share, clients, shares))

    return give


def _in_process(app: Flask, url: str, links: Links, rounds: int) -> dict[str, Any]:
    """What an answer costs without a server, beside the bare view and what was measured of others."""
    ours, bare = _tapper(app, links), _tapper(stack.bare_view(url), itertools.cycle([next(links)]))
    statements = _statements(ours)
    times, floor_times = in_turns([ours, bare], rounds, warm_up=20)
    cpu, floor_cpu = _cpu(ours, 50), _cpu(bare, 50)
    detail = {"in_process_ratio": round(sum(floor_times) / sum(times), 2), "statements": statements}
    detail |= {"ms_cpu": round(cpu, 2), "floor_ms_cpu": round(floor_cpu, 2)}
    for name, (count, milliseconds) in PEERS.items():
        detail |= {f"{name}_statements": count, f"{name}_ms_cpu": milliseconds}
    return detail


def _tapper(app: Flask, links: Links) -> Callable[[], None]:
    client = app.test_client()

    def tap() -> None:
        address, visit = next(links)
        answer = client.post(address, data={"score": "9", "visit": visit})
        assert answer.status_code == 303, answer.text

    return tap


def _statements(tap: Callable[[], None]) -> int:
    """How many statements one answer takes, once everything is warm."""
    for _ in range(5):
        tap()
    seen: list[str] = []

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        tap()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)


def _cpu(tap: Callable[[], None], times: int) -> float:
    """Milliseconds of this process's CPU for one answer."""
    began = time.process_time()
    for _ in range(times):
        tap()
    return 1000 * (time.process_time() - began) / times
