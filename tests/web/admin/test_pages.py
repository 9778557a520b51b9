"""The pages of the console: what they say, whom they let in, how few statements they need, on both databases."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import select, update

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import AuditEntry, Brand, Customer, Decision, Response, Step, Trigger
from tests import outreach
from tests.builders import make_response
from tests.people import make_user, sign_in_as
from tests.web.admin.living import NOW, counted_statements, live

PAGES = (
    "/admin/",
    "/admin/?days=7",
    "/admin/?days=28",
    "/admin/journeys/",
    "/admin/journeys/flight",
    "/admin/journeys/flight?days=91",
    "/admin/journeys/flight/check_in",
    "/admin/decisions/",
    "/admin/decisions/?outcome=refused&reason=gap&step=flight.boarding&from=2026-11-24&to=2026-11-24",
    "/admin/decisions/?customer=c-1",
    "/admin/responses/",
    "/admin/responses/?survey=check_in_csat&channel=email&status=confirmed&commented=1&step=flight.check_in",
    "/admin/responses/?customer=c-1&context.class=Business&metric=csat5&score=4&day=answer&from=2026-11-01",
    "/admin/cases/",
    "/admin/cases/?state=closed&journey=flight&customer=c-1&older=1_a",
    "/admin/customers/",
    "/admin/customers/c-1",
    "/admin/customers/c-1?show=refusals",
    "/admin/programme/",
    "/admin/programme/?view=surveys",
    "/admin/programme/?view=journeys",
    "/admin/programme/?view=events",
    "/admin/programme/programme.yaml",
)
BUDGET = 16


def read(client: FlaskClient, address: str) -> str:
    with clock.at(NOW):
        answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code, answer.text[-500:])
    return answer.text


def words(html: str) -> str:
    """What a person reads: without tags, with single spaces."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text))


@pytest.fixture
def signed_in(client: FlaskClient) -> FlaskClient:
    with clock.at(NOW - timedelta(minutes=1)):
        sign_in_as(client, user=make_user("analyst", name="Lena Hart"))
    return client


@pytest.fixture
def lived(app: OpenAPI, signed_in: FlaskClient) -> FlaskClient:
    live()
    return signed_in


@pytest.mark.parametrize("address", PAGES)
def test_every_page_answers_within_its_budget_of_statements(lived: FlaskClient, address: str) -> None:
    with counted_statements() as statements:
        read(lived, address)
    assert len(statements) <= BUDGET, "\n".join(statements)


@pytest.mark.parametrize("address", [page for page in PAGES if "c-1" not in page and "yaml" not in page])
def test_every_page_has_an_empty_state(signed_in: FlaskClient, address: str) -> None:
    with clock.at(NOW):
        answer = signed_in.get(address)
    assert answer.status_code == (404 if "flight" in address and "journeys" in address else 200)


@pytest.mark.parametrize("role", ["admin", "editor", "analyst", "agent"])
def test_staff_may_read(client: FlaskClient, role: str) -> None:
    sign_in_as(client, role)
    page = client.get("/admin/").text
    assert ("/admin/access/" in page) == (role == "admin")


def test_a_partner_and_a_stranger_may_not(client: FlaskClient) -> None:
    assert client.get("/admin/decisions/").status_code == 303
    sign_in_as(client, "partner")
    assert client.get("/admin/decisions/").status_code == 403


def test_home_counts_asks_refusals_with_reasons_and_answers(lived: FlaskClient) -> None:
    page = read(lived, "/admin/")
    text = words(page)
    assert "Tuesday 24 November" in text
    assert "1 of 4 moments led to a question; 2 did not, each with its reason; 1 still waits." in text
    assert "4 decisions, one for each event and trigger" in text
    for code, label in (("gap", "Asked too recently"), ("no_address", "No address")):
        assert f'data-reason="{code}"' in page
        assert f"{label} 1" in text
    assert "1asked" in text.replace(" ", "")
    assert "1answered" in text.replace(" ", "")
    assert "hidden" in text, "one answer is not shown"
    assert "1 ask waits" not in text
    assert "asks wait for their time" in text or "ask waits for its time" in text


def test_a_count_leads_to_the_rows_it_counts(lived: FlaskClient) -> None:
    page = read(lived, "/admin/")
    (address,) = set(re.findall(r'href="(/admin/decisions/\?[^"]*reason=gap[^"]*)"', page))
    rows = words(read(lived, address.replace("&amp;", "&")))
    assert "Boarding" in rows
    assert "Baggage" not in rows


def test_the_filter_of_a_list_is_named_in_words(lived: FlaskClient) -> None:
    for address, name in (("?step=flight.boarding", "Boarding"), ("?journey=flight", "Flight")):
        page = read(lived, f"/admin/decisions/{address}")
        (chip,) = re.findall(r'<a class="chip"[^>]*title="Take this filter away">(.*?)</a>', page)
        assert words(chip) == name


def test_the_decision_shows_every_rules_verdict_in_deciding_order(lived: FlaskClient) -> None:
    refused = db.session.scalars(select(Decision).where(Decision.reason == "gap")).one()
    page = read(lived, f"/admin/decisions/{refused.uid}")
    text = words(page)
    assert "Why was c-1 not asked about Boarding?" in text
    assert "Refused: asked too recently." in text
    kept = [verdict["rule"] for verdict in refused.verdicts or ()]
    assert page.count("<tr class=") == len(kept) > 10
    assert page.index("Consent</td>") < page.index("Opt-out</td>") < page.index("Rest between asks</td>")
    assert page.count('<tr class="s-no">') == 1
    assert "Possible again" in text or "allow it again" in text


def test_the_asked_decision_shows_its_message_and_its_answer(lived: FlaskClient) -> None:
    asked = db.session.scalars(select(Decision).where(Decision.outcome == "asked")).one()
    answer = db.session.scalars(select(Response)).one()
    page = read(lived, f"/admin/decisions/{asked.uid}")
    assert "Asked by e-mail. Every rule said yes." in words(page)
    assert f"/admin/responses/{answer.uid}" in page
    assert "E-mail: sent" in words(page)


def test_a_waiting_decision_says_until_when(lived: FlaskClient) -> None:
    waiting = db.session.scalars(select(Decision).where(Decision.outcome == "waiting")).one()
    text = words(read(lived, f"/admin/decisions/{waiting.uid}"))
    assert "Will c-3 be asked about Baggage?" in text
    assert "No rule was asked yet." in text


def test_the_response_shows_its_frozen_context_and_its_decision(lived: FlaskClient) -> None:
    answer = db.session.scalars(select(Response)).one()
    page = read(lived, f"/admin/responses/{answer.uid}")
    text = words(page)
    assert "4 of 5 about Check-in" in text
    assert "Overall, how satisfied were you with check-in?" in text
    assert "Satisfied" in text
    assert "ClassBusiness" in text
    assert f"/admin/decisions/{answer.decision}" in page


def test_the_customers_timeline_tells_events_asks_refusals_and_answers(lived: FlaskClient) -> None:
    text = words(read(lived, "/admin/customers/c-1"))
    assert "Answered 4 of 5 about Check-in" in text
    assert "Asked about Check-in by e-mail" in text
    assert "Not asked about Boarding" in text
    order = [text.index(piece) for piece in ("Not asked about Boarding", "Answered 4 of 5", "Asked about Check-in")]
    assert order == sorted(order)
    refusals = words(read(lived, "/admin/customers/c-1?show=refusals"))
    assert "Not asked about Boarding" in refusals
    assert "Answered" not in refusals


def test_opening_a_customer_is_logged(lived: FlaskClient) -> None:
    read(lived, "/admin/customers/c-1")
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "customer.opened")).one()
    assert entry.object == "c-1"
    assert entry.actor.startswith("analyst")


@pytest.mark.parametrize(("role", "seen"), [("analyst", "c…@example.org"), ("agent", "c-1@example.org")])
def test_an_analyst_sees_addresses_masked(client: FlaskClient, role: str, seen: str) -> None:
    live()
    sign_in_as(client, role)
    page = client.get("/admin/customers/c-1").text
    assert seen in page
    assert ("c-1@example.org" in page) == (role == "agent")


@pytest.mark.parametrize("sought", ["c-1", " c-1 ", "C-1@Example.org"])
def test_a_customer_is_found_by_exact_id_or_address_and_no_address_enters_a_url(
    client: FlaskClient, sought: str
) -> None:
    live()
    token = sign_in_as(client, "analyst")
    answer = client.post("/admin/find", data={"csrf_token": token, "what": "customer", "sought": sought})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/admin/customers/c-1")


@pytest.mark.parametrize("sought", ["", "c-", "c-99", "%", "'; drop table customer;--", "a\x00b", "x" * 5000])
def test_nobody_is_found_by_half_a_name(client: FlaskClient, sought: str) -> None:
    live()
    token = sign_in_as(client, "analyst")
    answer = client.post("/admin/find", data={"csrf_token": token, "what": "customer", "sought": sought})
    assert answer.status_code == 200
    assert "Nobody here has that id or address" in answer.text


def test_a_decision_an_answer_and_a_journey_are_found_by_their_number(client: FlaskClient) -> None:
    live()
    token = sign_in_as(client, "analyst")
    decision = db.session.scalars(select(Decision.uid)).first()
    answer = db.session.scalars(select(Response.uid)).one()
    places = {
        decision: f"/admin/decisions/{decision}",
        answer: f"/admin/responses/{answer}",
        "flight": "/admin/journeys/flight",
    }
    for sought, place in places.items():
        found = client.post("/admin/find", data={"csrf_token": token, "sought": sought})
        assert found.headers["Location"] == place


def test_the_map_shows_every_step_with_n_and_what_was_decided_today(lived: FlaskClient) -> None:
    page = read(lived, "/admin/journeys/flight")
    text = words(page)
    assert "3 of 3 steps are listened to, 100 % of what happens." in text
    assert text.index("Check-in") < text.index("Boarding")
    assert "1 answer; shown from 5" in text
    assert "Moment of truth" in text
    assert "1 refusedno address 1" in text
    assert "style=" not in page


def test_a_step_without_a_trigger_is_said_not_to_be_listened_to(lived: FlaskClient) -> None:
    db.session.execute(update(Trigger).where(Trigger.key == "after_boarding").values(archived_at=NOW))
    db.session.commit()
    text = words(read(lived, "/admin/journeys/flight"))
    assert "Not listened to" in text
    assert "1 moment in 28 days, nobody asked" in text
    assert "2 of 3 steps are listened to, 75 % of what happens." in text


def test_the_programme_reads_in_sentences_and_its_file_can_be_taken_home(lived: FlaskClient) -> None:
    text = words(read(lived, "/admin/programme/"))
    assert "After Check-in, at once ask Check in CSAT by e-mail, then SMS, until 7 days after." in text
    assert "After any ask, leave 7 days before a moment of truth, 30 days before a step" in text
    assert "Overall, how satisfied were you with check-in?" in words(read(lived, "/admin/programme/?view=surveys"))
    assert read(lived, "/admin/programme/programme.yaml").startswith("programme: 1\n")


def test_unmapped_names_are_shown_to_people(lived: FlaskClient) -> None:
    with clock.at(NOW):
        outreach.record_events(
            [outreach.EventIn(id="e-9", customer=outreach_customer(), occurred_at=NOW, name="Lounge Entered")],
            source="track",
        )
    assert "Event “Lounge Entered” is not mapped" in words(read(lived, "/admin/"))
    assert "Lounge Entered" in words(read(lived, "/admin/programme/?view=events"))


def outreach_customer():  # type: ignore[no-untyped-def]
    known = outreach.event("x", "c-1", "check_in", NOW)
    return known.customer


def test_a_page_of_decisions_goes_on_by_key(lived: FlaskClient) -> None:
    with clock.at(NOW):
        for number in range(60):
            outreach.happens(f"m-{number}", f"p-{number}", "baggage", NOW - timedelta(minutes=1))
    first = read(lived, "/admin/decisions/")
    (older,) = set(re.findall(r'href="(/admin/decisions/\?older=[^"]+)"', first))
    second = read(lived, older)
    seen = [re.findall(r'data-row href="/admin/decisions/([^"]+)"', page) for page in (first, second)]
    assert [len(part) for part in seen] == [50, 14]
    assert len(set(seen[0]) | set(seen[1])) == 64


EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}'


def test_hostile_texts_are_inert_on_every_page(lived: FlaskClient) -> None:
    db.session.execute(update(Brand).values(name=EVIL))
    db.session.execute(update(Step).values(name={"en": EVIL}))
    db.session.execute(update(Customer).values(attributes={EVIL: EVIL, "list": [EVIL]}, language=EVIL[:20]))
    db.session.execute(update(Response).values(comment=EVIL, context={EVIL: {"a": EVIL}}, instance=EVIL))
    refused = db.session.scalars(select(Decision).where(Decision.reason == "gap")).one()
    refused.verdicts = [{"rule": EVIL, "allowed": False, "why": EVIL, "next_at": EVIL}]
    db.session.commit()
    uid = db.session.scalars(select(Response.uid)).one()
    for address in (*PAGES[:-1], f"/admin/decisions/{refused.uid}", f"/admin/responses/{uid}"):
        page = read(lived, address)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "49" not in re.findall(r"onerror=alert\(2\)&gt;(\S\S)", page)


UNREADABLE = (
    "from=yesterday&to=9999-99-99",
    "older=x",
    "older=99999999999999999999_abc",
    "older=1_%01",
    "outcome=eaten&reason=" + "x" * 300,
    "step=a.b.c&journey=%01&trigger=%F0%28",
    "days=-1&score=9999999999999999999&show=x&before=never",
    "from=0001-01-01&to=0001-01-01",
)


@pytest.mark.parametrize("place", ["", "decisions/", "responses/", "customers/c-1", "journeys/flight", "programme/"])
def test_an_unreadable_filter_breaks_no_page(lived: FlaskClient, place: str) -> None:
    with clock.at(NOW):
        answers = {query: lived.get(f"/admin/{place}?{query}").status_code for query in UNREADABLE}
    assert answers == dict.fromkeys(UNREADABLE, 200)


@pytest.mark.parametrize(
    "address", ["decisions/nope", "responses/nope", "customers/nobody", "journeys/nowhere", "nowhere"]
)
def test_what_is_not_there_is_said_calmly(signed_in: FlaskClient, address: str) -> None:
    with clock.at(NOW):
        answer = signed_in.get(f"/admin/{address}")
    assert answer.status_code == 404
    assert "<h1>Nothing here</h1>" in answer.text


def test_an_imported_answer_of_nobody_has_its_page(lived: FlaskClient) -> None:
    version = db.session.scalars(select(Response)).one().survey_version
    response = make_response(version, None, source="import", step="flight.gone", answered_at=NOW, updated_at=NOW)
    db.session.commit()
    text = words(read(lived, f"/admin/responses/{response.uid}"))
    assert "No score about flight.gone" in text
    assert "nobody known" in text
