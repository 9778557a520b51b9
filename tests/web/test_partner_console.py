"""The partners' own console, and the administrator's page about one: whose figures, how few, what is wrong where."""

import hashlib
import hmac
import os
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import Partner
from surveyapp.services import partners
from surveyapp.services.keys import NewPartner
from tests import outreach, widget
from tests.people import make_user, sign_in_as

MONDAY = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def made(app: Flask) -> NewPartner:
    with clock.at(MONDAY - timedelta(days=1)):
        outreach.load(programme=widget.PROGRAMME)
        return widget.partner()


def enter(client: FlaskClient, key: str) -> str:
    number = db.session.scalars(select(Partner.id).where(Partner.key == key)).one()
    return sign_in_as(client, user=make_user("partner", partner_id=number))


def answers(client: FlaskClient, made: NewPartner, count: int, origin: str = widget.ORIGIN, first: int = 0) -> None:
    for number in range(first, count):
        ticket = widget.ask(client, made, f"{made.key}-{number}", origin).get_json()["ticket"]
        widget.call(client, "answer", {"ticket": ticket, "score": 4}, origin)


def test_a_partner_sees_their_own_whole_weeks_and_never_fewer_than_five(client: FlaskClient, made: NewPartner) -> None:
    shop = widget.partner("shop", "https://shop.example")
    with clock.at(MONDAY):
        answers(client, made, 6)
        answers(client, shop, 3, "https://shop.example")
    with clock.at(MONDAY + timedelta(days=2)):
        enter(client, "hotel")
        assert "2026-W45" not in client.get("/partner/").text  # the week is not over
    with clock.at(MONDAY + timedelta(days=8)):
        enter(client, "hotel")
        page = client.get("/partner/").text
        assert re.search(r"2026-W45</td>\s*<td[^>]*>6</td>\s*<td[^>]*>6</td>\s*<td[^>]*>100.0", page)
        enter(client, "shop")
        page = client.get("/partner/").text
        assert re.search(
            r"2026-W45</td>\s*<td[^>]*>fewer than 5</td>\s*<td[^>]*>fewer than 5</td>\s*<td[^>]*>hidden", page
        )
        assert "hotel" not in page.lower()


def test_b22_no_page_of_a_partner_names_another_whatever_is_asked_for(client: FlaskClient, made: NewPartner) -> None:
    widget.partner("shop", "https://shop.example")
    numbers = dict(db.session.execute(select(Partner.key, Partner.id)).all())  # type: ignore[arg-type]
    token = enter(client, "shop")
    for asked in ("hotel", made.publishable, str(numbers["hotel"])):
        wanted = {"partner": asked, "partner_id": asked, "key": asked, "id": asked}
        for page in ("", "install", "health", "settings", "preview"):
            text = client.get(f"/partner/{page}", query_string=wanted).text.replace(asked, "")
            assert not re.search(f"hotel|{made.publishable}", text, re.I), (page, asked)
            assert client.get(f"/partner/{page}/{asked}").status_code == 404
        client.post("/partner/settings", data={"csrf_token": token, "form": "tab", "mode": "dark", **wanted})
        assert client.post("/partner/keys/publishable", data={"csrf_token": token, **wanted}).status_code < 400
        assert client.post(f"/admin/access/partners/{asked}", data={"csrf_token": token}).status_code == 403
    with clock.at(MONDAY):
        assert widget.ask(client, made, "c-1").get_json()["show"] is True  # its key is as it was
    assert db.session.scalars(select(Partner.settings).where(Partner.key == "hotel")).one() == {}


def test_staff_pages_are_closed_to_partners_and_theirs_to_staff(client: FlaskClient, made: NewPartner) -> None:
    enter(client, "hotel")
    assert client.get("/admin/access/partners/hotel").status_code == 403
    assert [
        client.get(f"/partner/{page}").status_code for page in ("", "install", "health", "settings", "preview")
    ] == [200] * 5
    sign_in_as(client, "admin")
    assert client.get("/partner/").status_code == 403


def test_the_health_check_says_what_it_saw(client: FlaskClient, made: NewPartner) -> None:
    with clock.at(MONDAY):
        widget.ask(client, made, "c-1")
        widget.ask(client, made, "c-1", origin="https://www.hotel.example")
        widget.ask(client, made, "c-2", signature="0" * 64)
    with clock.at(MONDAY + timedelta(minutes=2)):
        enter(client, "hotel")
        page = unescape(client.get("/partner/health").text)
    assert "We saw your page load from https://hotel.example and ask." in page
    assert page.count("2 minutes ago") == 3
    assert "A page at https://www.hotel.example asks and is refused." in page
    assert "The signature is not HMAC-SHA256" in page


def test_a_script_that_never_asks_points_at_the_policy_of_the_page(client: FlaskClient, made: NewPartner) -> None:
    client.get("/widget.js", headers={"Referer": "https://hotel.example/rooms"})
    enter(client, "hotel")
    assert "lacks our address in connect-src" in " ".join(client.get("/partner/health").text.split())


@pytest.mark.parametrize(
    ("block", "program", "ending"),
    [
        ("c3", [sys.executable, "-c"], "\nprint(signature('clé-7'), end='')"),
        ("c4", ["node", "--input-type=module", "-e"], "\nprocess.stdout.write(signature('clé-7'))"),
        ("c5", ["php", "-r"], "\necho signature('clé-7');"),
    ],
    ids=["python", "node", "php"],
)
def test_the_guide_s_signature_runs_as_it_stands_and_is_believed(
    client: FlaskClient, made: NewPartner, block: str, program: list[str], ending: str
) -> None:
    if shutil.which(program[0]) is None:
        pytest.skip(f"no {program[0]} on the PATH")
    enter(client, "hotel")
    page = unescape(client.get("/partner/install").text)
    assert f'data-key="{made.publishable}"' in page
    assert made.secret not in page
    found = re.search(f'<pre class="code" id="{block}">(.*?)</pre>', page, re.DOTALL)
    assert found is not None
    code = found[1].removeprefix("<?php") + ending
    run = subprocess.run(
        [*program, code], env={**os.environ, "SURVEY_SECRET": made.secret}, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout == hmac.new(made.secret.encode(), "clé-7".encode(), hashlib.sha256).hexdigest()
    assert widget.ask(client, made, "clé-7", signature=run.stdout).get_json()["show"] is True


def test_usage_says_how_much_was_asked_and_how_much_of_the_share_it_took(client: FlaskClient, made: NewPartner) -> None:
    with clock.at(MONDAY):
        answers(client, made, 3)
        enter(client, "hotel")
        text = facts(client)
        assert "Asked in the last seven days fewer than 5" in text
        assert "Share of all asks agreed no limit" in text
        partners.change_settings("hotel", {"share": 0.5})
        answers(client, made, 6, first=3)
    with clock.at(MONDAY + timedelta(minutes=2)):
        enter(client, "hotel")
        text = facts(client)
    assert "Asked in the last seven days 6 " in text
    assert "about 60 % of it used" in text
    assert "A page of yours asked last 2 minutes ago" in text


def facts(client: FlaskClient) -> str:
    """The strip of the partner's first page, as it is read."""
    strip = client.get("/partner/").text.partition('<div class="facts">')[2].partition("</section>")[0]
    return " ".join(unescape(re.sub("<[^>]+>", " ", strip)).replace("\u2009", " ").split())


def test_a_partner_changes_the_look_and_nothing_that_was_agreed(client: FlaskClient, made: NewPartner) -> None:
    token = enter(client, "hotel")
    form = {"csrf_token": token, "form": "tab", "mode": "dark", "colour": "#7b2d3b", "share": "1", "steps": "x.y"}
    assert client.post("/partner/settings", data=form).status_code == 303
    row = db.session.scalars(select(Partner)).one()
    assert row.settings == {"form": "tab", "mode": "dark", "colour": "#7b2d3b"}
    assert client.post("/partner/settings", data=form | {"colour": "red"}).status_code == 422


def test_keys_are_exchanged_without_a_gap(client: FlaskClient, made: NewPartner) -> None:
    token = enter(client, "hotel")
    page = client.post("/partner/keys/secret", data={"csrf_token": token}).text
    assert re.search(r"sk_[\w-]{40,}", page)
    assert widget.ask(client, made, "c-1").get_json()["show"] is True
    client.post("/partner/keys/end-former", data={"csrf_token": token})
    assert widget.ask(client, made, "c-2").get_json()["reason"] == "refused"


def test_an_administrator_agrees_steps_shares_and_origins(client: FlaskClient, made: NewPartner) -> None:
    token = sign_in_as(client, "admin")
    assert client.get("/admin/access/partners/nobody").status_code == 404
    assert 'value="https://hotel.example"' in client.get("/admin/access/partners/hotel").text
    form = {
        "csrf_token": token,
        "origins": "https://hotel.example https://www.hotel.example",
        "steps": "flight.check_in",
        "sample": "50",
        "share": "25",
        "form": "popover",
        "mode": "auto",
        "colour": "",
    }
    assert client.post("/admin/access/partners/hotel", data=form).status_code == 303
    row = db.session.scalars(select(Partner)).one()
    assert row.origins == ["https://hotel.example", "https://www.hotel.example"]
    assert row.settings == {"steps": ["flight.check_in"], "sample": 0.5, "share": 0.25}
    for wrong in ({"steps": "flight.landing"}, {"sample": "101"}, {"origins": "https://*.example"}, {"origins": ""}):
        assert client.post("/admin/access/partners/hotel", data=form | wrong).status_code == 422
