"""The contact policy's page and the why-page: what they say, who may change what; nothing goes live by itself."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import AuditEntry, Decision, PolicyDraft, PolicyVersion
from surveyapp.services import policy as services
from tests import outreach
from tests.people import make_user, sign_in_as
from tests.web.admin.living import NOW, live
from tests.web.admin.test_pages import words

POLICY = """policy:
  gap: {1: 7d, 2: 30d, 3: 30d}
  caps: [{max: 2, per: 30d}]
  quiet_hours: {from: "20:00", to: "08:00"}
  rules:
    - {kind: cap, journey: flight, max: 1, per: journey}
"""
HOSTILE = "<script>alert(1)</script>"


class Console:
    """A signed-in browser without script, at one instant."""

    def __init__(self, client: FlaskClient, role: str) -> None:
        self.client = client
        with clock.at(NOW - timedelta(minutes=1)):
            self.email = (user := make_user(role)).email
            self.token = sign_in_as(client, user=user)

    def read(self, address: str, status: int = 200) -> str:
        with clock.at(NOW):
            answer = self.client.get(address)
        assert answer.status_code == status, answer.text[-400:]
        return str(answer.text)

    def post(self, address: str, **fields: Any) -> TestResponse:
        with clock.at(NOW):
            return self.client.post(address, data={"csrf_token": self.token, "revision": "0", **fields})

    def change(self, rule: str, value: str, revision: int = 0, **fields: Any) -> TestResponse:
        return self.post("/admin/policy/value", rule=rule, value=value, revision=str(revision), **fields)


@pytest.fixture
def editor(app: OpenAPI, client: FlaskClient) -> Console:
    with clock.at(NOW - timedelta(days=1)):
        outreach.load(POLICY)
    return Console(client, "editor")


def draft() -> dict[str, Any]:
    row = db.session.scalars(select(PolicyDraft)).one()
    return dict(row.definition)


def versions() -> int:
    return db.session.scalar(select(func.count()).select_from(PolicyVersion)) or 0


def test_the_rules_are_read_as_sentences(editor: Console) -> None:
    page = re.sub(r", change( what it covers)?", "", words(editor.read("/admin/policy/")))
    assert "v1 is live since" in page
    assert "Reminders count as an ask." in page
    assert "A due ask is not held for a better one: the earlier wins." in page
    assert "No rule contradicts another." in page
    assert "an invented customer · Europe/Paris" in page
    assert "Asked on 29 Oct and 19 Nov." in page


def test_a_changed_value_becomes_a_draft_and_nothing_goes_live(editor: Console) -> None:
    answer = editor.change("gap", "tiers.2", n="21", unit="d")
    assert (answer.status_code, answer.location) == (303, "/admin/policy/#r-gap")
    assert draft()["gap"] == {"1": "7d", "2": "21d", "3": "30d"}
    assert versions() == 1
    page = words(editor.read("/admin/policy/"))
    assert f"Draft by {editor.email}, changed just now. v1 is live until the draft is activated." in page
    assert "was 30 days in v1" in page
    assert "Rest before a step: 21 days, was 30 days." in page
    assert "A step is possible again from 26 Nov under v1" not in page


def test_the_draft_is_compared_then_activated(editor: Console) -> None:
    editor.change("gap", "tiers.2", n="21", unit="d")
    page = words(editor.read("/admin/policy/draft"))
    assert "1 difference from v1" in page
    assert "Activate as v2" in page
    answer = editor.post("/admin/policy/draft", revision="1", when="now")
    assert answer.status_code == 303
    assert "Version 2 holds from now on." in words(editor.read("/admin/policy/"))
    newest = db.session.scalars(select(PolicyVersion).order_by(PolicyVersion.number.desc())).first()
    assert newest is not None
    assert (newest.number, newest.definition["gap"]["2"], newest.created_by) == (2, "21d", editor.email)
    assert db.session.scalars(select(PolicyDraft)).all() == []


def test_it_can_hold_from_a_day_on(editor: Console) -> None:
    editor.change("caps.0", "max", n="3")
    late = editor.post("/admin/policy/draft", revision="1", when="later", day="2026-11-01", time="00:00")
    assert late.status_code == 422
    assert "This moment has passed." in words(late.text)
    assert editor.post("/admin/policy/draft", revision="1", when="later", day="").status_code == 422
    assert versions() == 1
    editor.post("/admin/policy/draft", revision="1", when="later", day="2026-12-01", time="06:00")
    page = words(editor.read("/admin/policy/"))
    assert "Version 2 holds from 1 December 2026, 06:00 on." in page
    assert "v2from 1 Dec, 06:00" in page.replace("v2 ", "v2")
    assert "v1 is live" in page


def test_zero_is_never_and_empty_is_no_limit(editor: Console) -> None:
    editor.change("caps.0", "max", n="0")
    assert draft()["caps"][0]["max"] == 0
    page = words(editor.read("/admin/policy/"))
    assert "A limit of 0 means never." in page
    editor.change("caps.0", "max", revision=1, n="")
    assert draft()["caps"][0] == {"max": 0, "per": "30d", "enabled": False}
    assert "Left empty, so there is no limit: the rule is off." in words(editor.read("/admin/policy/"))


@pytest.mark.parametrize(
    ("rule", "value", "fields", "sentence"),
    [
        ("caps.0", "max", {"n": "-3"}, "A number under 0 means nothing here."),
        ("caps.0", "max", {"n": "two"}, "“two” is no whole number."),
        (
            "caps.0",
            "per",
            {"n": "0", "unit": "d"},
            "Must be longer than nothing, such as 30d, or journey,",
        ),
        ("gap", "tiers.1", {"n": "", "unit": "d"}, "Left empty. Write 0 for no rest"),
        ("gap", "tiers.1", {"n": "99", "unit": "d"}, "swap the two or make them equal."),
        ("gap", "tiers.1", {"n": "9999", "unit": "d"}, "A duration is at most 3650d"),
        ("quiet_hours", "to", {"v": "20:00"}, "cover the whole day: nobody could ever be asked."),
        ("quiet_hours", "from", {"v": HOSTILE}, "Must be an hour such as"),
    ],
)
def test_what_cannot_be_is_refused_beside_the_rule(
    editor: Console, rule: str, value: str, fields: dict[str, str], sentence: str
) -> None:
    answer = editor.change(rule, value, 0, **fields)
    assert answer.status_code == 422
    assert sentence in words(answer.text)
    assert "Not saved" in answer.text
    assert HOSTILE not in answer.text
    assert db.session.scalars(select(PolicyDraft)).all() == []


def test_a_contradiction_says_what_to_write_instead(editor: Console) -> None:
    editor.post("/admin/policy/add", rule="add", kind="cap")
    answer = editor.change("rules.1", "per", revision=1, n="7", unit="d")
    assert answer.status_code == 303
    answer = editor.change("rules.1", "max", revision=2, n="5")
    assert answer.status_code == 422
    assert "lower the first or raise the second." in words(answer.text)
    assert draft()["rules"][1]["max"] == 2


def test_rules_are_switched_added_narrowed_and_removed(editor: Console) -> None:
    editor.post("/admin/policy/switch", rule="gap", on="no")
    assert "gap" not in draft()
    assert draft()["rules"][0] == {"kind": "gap", "tiers": {"1": "7d", "2": "30d", "3": "30d"}, "enabled": False}
    editor.post("/admin/policy/switch", rule="rules.0", on="yes", revision="1")
    assert "enabled" not in draft()["rules"][0]
    added = editor.post("/admin/policy/add", rule="add", kind="grace", journey="flight", revision="2")
    assert added.location == "/admin/policy/#r-rules.2"
    assert draft()["rules"][2] == {"kind": "grace", "for": "14d", "journey": "flight"}
    editor.change("rules.2", "scope", revision=3, channel="sms", where_name="class", where_value="Business")
    assert draft()["rules"][2] == {"kind": "grace", "for": "14d", "channel": "sms", "where": {"class": "Business"}}
    editor.post("/admin/policy/remove", rule="rules.2", revision="4")
    assert len(draft()["rules"]) == 2
    editor.post("/admin/policy/switch", rule="holding", on="yes", revision="5")
    editor.post("/admin/policy/switch", rule="reminders_count", on="no", revision="6")
    assert (draft()["holding"], draft()["reminders_count"]) == ("6h", False)
    editor.post("/admin/policy/discard", revision="7")
    assert db.session.scalars(select(PolicyDraft)).all() == []
    assert versions() == 1


def test_every_kind_can_be_added_and_is_then_a_policy_that_can_be(editor: Console) -> None:
    kinds = re.findall(
        r'<option value="(\w+)"', editor.read("/admin/policy/").split('name="kind"')[1].split("</select>")[0]
    )
    assert len(kinds) == 13
    for revision, kind in enumerate(kinds):
        answer = editor.post("/admin/policy/add", rule="add", kind=kind, survey="check_in_csat", revision=str(revision))
        assert answer.status_code == 303, (kind, words(answer.text)[-300:])
    page = editor.read("/admin/policy/")
    assert "A rule of the kind" not in page
    assert editor.read("/admin/policy/draft")


def test_a_rule_that_needs_a_scope_says_so(editor: Console) -> None:
    answer = editor.post("/admin/policy/add", rule="add", kind="own_gap")
    assert answer.status_code == 422
    assert "choose a journey, step, survey, group or channel." in words(answer.text)


def test_an_older_page_does_not_overwrite_what_somebody_else_wrote(editor: Console) -> None:
    with clock.at(NOW):
        services.save_draft({"caps": [{"max": 5, "per": "30d"}]}, "tom@example.org", 0)
    answer = editor.change("gap", "tiers.2", n="21", unit="d")
    assert answer.status_code in (409, 422)
    answer = editor.change("caps.0", "max", n="4")
    assert answer.status_code == 409
    assert "tom@example.org saved another draft meanwhile." in words(answer.text)
    assert draft() == {"caps": [{"max": 5, "per": "30d"}]}
    assert editor.post("/admin/policy/draft", revision="0", when="now").status_code == 422
    assert versions() == 1


def test_an_exemption_is_an_admins_and_names_its_author(app: OpenAPI, client: FlaskClient) -> None:
    with clock.at(NOW - timedelta(days=1)):
        outreach.load(POLICY)
    admin = Console(client, "admin")
    fields = {"kind": "exemption", "v": ["gap"], "reason": "Launch " + HOSTILE, "until_day": "2026-12-31"}
    answer = admin.post("/admin/policy/add", rule="add", journey="flight", **fields)
    assert answer.status_code == 303
    assert draft()["rules"][1]["author"] == admin.email
    assert HOSTILE not in admin.read("/admin/policy/")
    editor = Console(client, "editor")
    refused = editor.post("/admin/policy/draft", revision="1", when="now")
    assert refused.status_code == 422
    assert "Only an administrator may put that in force." in words(refused.text)
    assert versions() == 1


@pytest.mark.parametrize("role", ["analyst", "agent"])
def test_others_read_and_change_nothing(app: OpenAPI, client: FlaskClient, role: str) -> None:
    with clock.at(NOW - timedelta(days=1)):
        outreach.load(POLICY)
    console = Console(client, role)
    page = console.read("/admin/policy/")
    assert '<form class="pop"' not in page
    assert "Editors may change it." in page
    assert console.read("/admin/policy/file")
    assert console.change("caps.0", "max", n="9").status_code == 403
    assert console.post("/admin/policy/draft", when="now").status_code == 403
    assert db.session.scalars(select(PolicyDraft)).all() == []


def test_a_partner_does_not_enter(app: OpenAPI, client: FlaskClient) -> None:
    console = Console(client, "partner")
    console.read("/admin/policy/", 403)
    console.read("/admin/customers/c-1/why", 403)


def test_the_file_is_checked_and_saved_as_a_draft(editor: Console) -> None:
    assert "per: journey" in editor.read("/admin/policy/file")
    text = "gap: {1: 7d, 2: 21d}\ncaps: [{max: 1, per: month}]\n"
    checked = editor.post("/admin/policy/file", policy=text, do="check")
    assert "At most 1 ask per calendar month." in words(checked.text)
    assert db.session.scalars(select(PolicyDraft)).all() == []
    assert editor.post("/admin/policy/file", policy=text, do="save").status_code == 303
    assert draft() == {"gap": {"1": "7d", "2": "21d"}, "caps": [{"max": 1, "per": "month"}]}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gap: [", "Line"),
        ("- 1", "The policy is a mapping"),
        ("gap: soon", "gap: A duration is"),
        (f"rules: [{{kind: '{HOSTILE}'}}]", "unknown rule"),
        ("a: &a [x, x]\nb: &b [*a, *a]", "unknown key"),
        ("gap: 1d\ngap: 2d", "Line 2"),
        ("x" * 100_001, "at most 100,000 characters"),
    ],
)
def test_a_file_that_cannot_be_is_refused_with_its_place(editor: Console, text: str, sentence: str) -> None:
    answer = editor.post("/admin/policy/file", policy=text, do="save")
    assert answer.status_code == 422
    assert sentence.lower() in words(answer.text).lower()
    assert HOSTILE not in answer.text
    assert db.session.scalars(select(PolicyDraft)).all() == []


def test_a_version_is_read_and_taken_as_a_draft(editor: Console) -> None:
    page = words(editor.read("/admin/policy/versions/1"))
    assert "About Flight: at most 1 ask per" in page
    editor.read("/admin/policy/versions/9", 404)
    editor.read("/admin/policy/versions/99999999999999999999", 404)
    assert editor.post("/admin/policy/versions/1").status_code == 303
    assert draft()["caps"] == [{"max": 2, "per": "30d"}]


def test_refusals_of_28_days_stand_at_the_rule_that_said_so(app: OpenAPI, client: FlaskClient) -> None:
    live()
    page = Console(client, "analyst").read("/admin/policy/")
    link = re.search(r'<a href="([^"]*)"><span[^>]*>Refusals in 28 days: </span>1</a>', page)
    assert link is not None
    assert link[1] == "/admin/decisions/?outcome=refused&amp;reason=gap"


def test_the_weeks_of_a_customer_are_shown_and_that_is_logged(app: OpenAPI, client: FlaskClient) -> None:
    live()
    console = Console(client, "analyst")
    page = words(console.read("/admin/policy/?customer=c-1"))
    assert "c-1 · Europe/Paris" in page
    assert "Asked on 24 Nov. A moment of truth is possible again from 1 Dec." in page
    looked = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "customer.opened")).all()
    assert [(entry.object, entry.detail["page"]) for entry in looked] == [("c-1", "contact policy")]
    missing = console.read(f"/admin/policy/?customer={HOSTILE}")
    assert HOSTILE not in missing
    assert "so the weeks of an invented one are shown." in missing


def test_without_a_programme_the_page_says_so(app: OpenAPI, client: FlaskClient) -> None:
    console = Console(client, "editor")
    page = words(console.read("/admin/policy/"))
    assert "There is no policy yet, so nothing limits how often somebody is asked." in page
    assert "As soon as the programme has a trigger" in page


def test_why_not_tells_then_and_now(app: OpenAPI, client: FlaskClient) -> None:
    live()
    console = Console(client, "agent")
    page = words(console.read("/admin/customers/c-1/why?trigger=after_boarding"))
    assert "Why was c-1 not asked about Boarding?" in page
    assert "Refused: asked too recently." in page
    assert "Possible again 24 Dec, 08:00 (Europe/Paris)" in page
    assert "so it will never be sent. The next event is decided afresh." in page
    assert "Rest between asks: free again from 24 Dec, 08:00 (Europe/Paris); or a policy with a shorter rest." in page
    now = words(console.read("/admin/customers/c-1/why?trigger=after_boarding&clock=now"))
    assert "May c-1 be asked about Boarding now?" in now
    assert "No: asked too recently." in now
    looked = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "customer.opened")).all()
    assert [entry.detail["page"] for entry in looked] == ["why", "why"]


def test_why_links_the_asks_that_count(app: OpenAPI, client: FlaskClient) -> None:
    live()
    page = Console(client, "agent").read("/admin/customers/c-1/why?trigger=after_boarding")
    asked = db.session.scalars(select(Decision).where(Decision.outcome == "asked")).one()
    assert f'href="/admin/decisions/{asked.uid}"' in page
    refused = db.session.scalars(select(Decision).where(Decision.reason == "gap")).one()
    own = Console(client, "agent").read(f"/admin/decisions/{refused.uid}")
    assert f"/admin/customers/c-1/why?trigger=after_boarding&amp;decision={refused.uid}" in own


def test_why_without_a_trigger_offers_them(app: OpenAPI, client: FlaskClient) -> None:
    live()
    console = Console(client, "agent")
    page = console.read("/admin/customers/c-1/why")
    assert "Flight Check-inBoardingBaggage" in words(page)
    assert "trigger=after_baggage" in page
    console.read("/admin/customers/c-1/why?trigger=nothing", 404)
    console.read("/admin/customers/nobody/why", 404)
    other = db.session.scalars(select(Decision).where(Decision.customer_id != 1)).first()
    page = words(console.read(f"/admin/customers/c-1/why?trigger=after_baggage&decision={other.uid if other else ''}"))
    assert "May c-1 be asked about Baggage now?" in page


def test_a_draft_that_cannot_be_any_more_is_shown_and_cannot_go_live(editor: Console) -> None:
    editor.change("caps.0", "max", n="3")
    db.session.scalars(select(PolicyDraft)).one().definition = {"caps": [{"max": "many"}]}
    db.session.commit()
    assert "This policy cannot be" in words(editor.read("/admin/policy/"))
    page = words(editor.read("/admin/policy/draft"))
    assert "so it is not compared and cannot be activated." in page
    assert "Activate" not in page
    assert editor.post("/admin/policy/draft", revision="1", when="now").status_code == 422
    assert versions() == 1
