"""The main job from end to end: an event, one question by mail, one click in a browser, a figure that moved."""

import json
import re
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from playwright.sync_api import expect
from sqlalchemy import update

from surveyapp.extensions import db
from surveyapp.models import Message
from surveyapp.services.keys import create_key
from surveyapp.services.programme import apply_programme
from tests.chromium import OpenPage, Site

PROGRAMME = """
programme: 1
brand: {name: Oddjob Airways, language: en, languages: [en, fr], timezone: Europe/Paris}
reporting_attributes: [class]
journeys:
  - key: flight
    name: {en: Flight, fr: Vol}
    steps: [{key: arrival, name: {en: Arrival, fr: Arrivée}, event: Flight Landed}]
surveys:
  - {key: flight_nps, metric: nps, about: {en: your flight, fr: votre vol}, follow_up: comment}
triggers:
  - {key: after_arrival, step: flight.arrival, survey: flight_nps, channels: [email], expires: 7d}
policy:
  gap: {1: 7d, 2: 30d, 3: 30d}
"""


def call(site: Site, path: str, key: str, body: Any = None) -> Any:
    """One call of the API over HTTP, as a program makes it."""
    request = urllib.request.Request(
        site.url + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def land(number: int, now: datetime) -> dict[str, Any]:
    return {
        "id": f"landed-{number}",
        "customer": {"external_id": f"c-{number}", "email": f"c-{number}@example.org", "language": "en"},
        "journey": "flight",
        "step": "arrival",
        "instance": f"AF-{number}",
        "occurred_at": (now - timedelta(minutes=1)).isoformat(),
        "properties": {"class": "Business", "delay_minutes": 4},
    }


def test_an_event_becomes_one_question_one_click_and_one_figure(site: Site, open_page: OpenPage) -> None:
    apply_programme(PROGRAMME, actor="story")
    ingest, read = create_key("till", "ingest", None), create_key("board", "read", None)
    db.session.commit()
    now = datetime.now(UTC)

    taken = call(site, "/api/v1/events", ingest, {"events": [land(n, now) for n in range(6)]})
    assert taken == {"accepted": 6, "duplicates": 0, "rejected": []}
    again = call(
        site, "/api/v1/events", ingest, {"events": [land(0, now) | {"id": "landed-again", "instance": "AF-9"}]}
    )
    assert again["accepted"] == 1

    sent = site.app.test_cli_runner().invoke(args=["send", "--once"])
    assert sent.output.strip() == "claimed=7 sent=6 refused=1 postponed=0 failed=0 unknown=0"
    refused = call(site, "/api/v1/decisions?outcome=refused", read)["items"]
    assert [(d["customer"], d["event"], d["reason"]) for d in refused] == [("c-0", "landed-again", "gap")]

    mails = call(site, "/dev/mailbox.json", read)["messages"]
    assert sorted(m["to"] for m in mails) == [f"c-{n}@example.org" for n in range(6)]
    links = {m["to"]: re.search(r"http\S+/s/\S+score=9", m["text"]) for m in mails}

    for n in range(1, 6):
        link = links[f"c-{n}@example.org"]
        assert link
        page = open_page(link.group(), java_script_enabled=False, viewport={"width": 360, "height": 740})
        page.get_by_role("button", name="Send my answer: 9").click()
        expect(page.get_by_text("Saved: 9.")).to_be_visible()

    db.session.execute(update(Message).values(sent_at=datetime.now(UTC) - timedelta(hours=1)))  # read an hour later
    db.session.commit()
    mine = next(m for m in mails if m["to"] == "c-0@example.org")
    mail = open_page("about:blank", viewport={"width": 1280, "height": 900})
    mail.set_content(mine["html"])
    mail.get_by_role("link", name=re.compile("^3")).first.click()
    mail.get_by_text("Saved: 3.").locator("visible=true").last.wait_for()
    mail.get_by_role("textbox").fill("The bus to the plane was late.")
    mail.get_by_role("button", name="Send", exact=True).click()
    expect(mail.get_by_text("Thank you. That was all.")).to_be_visible()

    figure = call(site, "/api/v1/metrics?metric=nps&group_by=step,context.class", read)
    assert figure["groups"][0]["key"] == {"step": "flight.arrival", "context.class": "Business"}
    assert figure["groups"][0]["histogram"]["9"] == 5
    assert (figure["total"]["n"], round(figure["total"]["value"], 4)) == (6, 66.6667)

    answers = call(site, "/api/v1/responses", read)["items"]
    low = next(a for a in answers if a["score"] == 3)
    assert (low["comment"], low["customer"], low["context"]["delay_minutes"]) == (
        "The bus to the plane was late.",
        "c-0",
        4,
    )
    checked = site.app.test_cli_runner().invoke(args=["rollups", "rebuild", "--check"])
    assert checked.exit_code == 0, checked.output


def test_leaving_is_one_tap_and_stops_what_waits(site: Site, open_page: OpenPage) -> None:
    apply_programme(PROGRAMME, actor="story")
    ingest, read = create_key("till", "ingest", None), create_key("board", "read", None)
    db.session.commit()
    now = datetime.now(UTC)
    call(site, "/api/v1/events", ingest, {"events": [land(1, now)]})
    send(site.app)
    mail = call(site, "/dev/mailbox.json", read)["messages"][0]
    leave = re.search(r"http\S+/u/\S+", mail["text"])
    assert leave
    page = open_page(leave.group(), java_script_enabled=False, viewport={"width": 360, "height": 740})
    page.get_by_role("button").click()
    expect(page.get_by_text(re.compile("Done. We won['’]t ask you again."))).to_be_visible()
    call(site, "/api/v1/events", ingest, {"events": [land(1, now) | {"id": "later", "instance": "AF-2"}]})
    send(site.app)
    reasons = {d["event"]: d["reason"] for d in call(site, "/api/v1/decisions?customer=c-1", read)["items"]}
    assert reasons == {"landed-1": None, "later": "opted_out"}


def send(app: Flask) -> None:
    assert app.test_cli_runner().invoke(args=["send", "--once"]).exit_code == 0
