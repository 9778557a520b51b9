"""The widget: its bytes and requests beside what peers send, and its offers against a bare decision.

The peers' figures were measured in November 2026 with a cold browser: all requests and bytes on the wire for one 0–10
question with a comment. Formbricks of August 2026 as a popover, posthog-js 1.449.2 as a popover.
"""

import gzip
import itertools
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.services import dispatch
from surveyapp.services.keys import NewPartner
from surveyapp.web.widget.files import script
from tests import widget
from tests.bench import people
from tests.bench.harness import Bench, Result, in_turns

PEERS = {"formbricks": (6, 288_806), "posthog": (4, 172_876)}
BUDGET = 5_120
REQUESTS = 4  # two scripts, the offer, the sight of it
LEAST = 0.4


def bytes_sent(bench: Bench) -> list[Result]:
    """Both scripts, packed, as a share of our budget; and all that travels, as a share of the lightest peer's."""
    sent = sum(len(script(name).packed) for name in ("widget.js", "panel.js"))
    with bench.app() as app:
        people.load(widget.WEB_ONLY)
        made = widget.partner()
        told = widget.ask(app.test_client(), made, "c-1")
        assert told.get_json()["show"] is True
        offered = len(gzip.compress(told.data))
    fewest, lightest = min(calls for calls, _ in PEERS.values()), min(size for _, size in PEERS.values())
    detail = {"bytes": sent, "offer_packed": offered}
    for name, (calls, size) in PEERS.items():
        detail |= {
            f"{name}_bytes": size,
            f"{name}_requests": calls,
            f"{name}_times_ours": round(size / (sent + offered)),
        }
    all_calls = {"requests": REQUESTS, "preflights": 2}
    return [
        Result("widget_bytes", sent / BUDGET, 1.0, "lower", detail),
        Result("widget_bytes_of_lightest_peer", (sent + offered) / lightest, 0.05, "lower", {"bytes": sent + offered}),
        Result("widget_requests_of_fewest_peer", REQUESTS / fewest, 1.0, "lower", all_calls),
    ]


def offers_per_second(bench: Bench) -> list[Result]:
    """Offers over HTTP, to customers for whom an ask waits and to visitors nobody knows, against a bare decision.

    The bare decision is the claim of one due message: the person locked, the history read, `decide` asked, the contact
    booked, committed. An offer does that too, and checks origin, key and signature, makes the visit's event or takes
    the one that waits, and renders the question.
    """
    rounds = bench.size(200, 30)
    url = bench.database()
    with bench.app(url) as app:
        people.load(widget.PROGRAMME)
        people.reach_check_in(rounds + 1, clock.now())
        people.reach("boarding", rounds + 1, clock.now(), first=rounds + 2)
        made, client = widget.partner(), app.test_client()
        app.extensions["widget_limiter"] = _NoLimit()
        known = (f"c-{number}" for number in itertools.count(1))
        times = in_turns(
            [_offer(client, made, lambda: next(known)), _offer(client, made, lambda: None), _claim_one], rounds
        )
    bench.drop(url)
    of_known, of_strangers, bare = (len(one) / sum(one) for one in times)
    detail = {"known_per_second": round(of_known), "floor_per_second": round(bare)}
    stranger_detail = {"per_second": round(of_strangers), "floor_per_second": round(bare)}
    return [
        Result("widget_offer_against_bare_decision", of_known / bare, LEAST, "higher", detail),
        Result("widget_offer_to_stranger", of_strangers / bare, LEAST, "higher", stranger_detail),
    ]


class _NoLimit:
    """All calls of a benchmark come from one address."""

    def wait(self, *given: Any) -> int:
        return 0


def _offer(client: FlaskClient, made: NewPartner, who: Callable[[], str | None]) -> Callable[[], None]:
    def offer() -> None:
        answer = widget.ask(client, made, who())
        assert answer.get_json()["show"] is True, answer.text

    return offer


def _claim_one() -> None:
    done = dispatch.claim(1)
    assert len(done.messages) == 1, done
    db.session.remove()
