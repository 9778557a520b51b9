"""Applying a programme file makes the programme equal to it, all of it or nothing, and twice is the same as once."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask_openapi3 import OpenAPI
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.extensions import db
from surveyapp.models import (
    AuditEntry,
    Brand,
    Dimension,
    Journey,
    MetricCell,
    PolicyVersion,
    ProgrammeVersion,
    ReportingAttribute,
    Step,
    Survey,
    SurveyVersion,
    Trigger,
)
from surveyapp.queries.programme import export
from surveyapp.services import rollups
from surveyapp.services.programme import ProgrammeRefused, ProgrammeResult, apply_programme
from surveyapp.services.transaction import transaction
from tests.builders import make_response
from tests.cells import ANSWERS
from tests.conftest import MakeApp
from tests.services.programmes import PROGRAMME, changed

AT = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
Db = scoped_session[Session]


def apply(source: str = PROGRAMME) -> ProgrammeResult:
    return apply_programme(source, actor="ada@example.org")


def one(session: Db, model: type[Any], key: str) -> Any:
    return session.scalars(select(model).where(model.key == key)).one()


def counts(session: Db) -> dict[str, int]:
    tables = (
        Brand,
        Dimension,
        Journey,
        Step,
        Survey,
        SurveyVersion,
        Trigger,
        PolicyVersion,
        ProgrammeVersion,
        AuditEntry,
    )
    return {model.__tablename__: session.scalar(select(func.count()).select_from(model)) or 0 for model in tables}


def test_a_file_becomes_rows(session: Db) -> None:
    with clock.at(AT):
        result = apply()
    assert result.version == 1
    assert result.changed == [
        "brand",
        "reporting attribute class added",
        "reporting attribute customer_type added",
        "dimension ease added",
        "journey flight added",
        "step flight.check_in added",
        "step flight.baggage added",
        "survey check_in_csat added",
        "survey relational_nps added",
        "survey check_in_csat: version 1",
        "survey relational_nps: version 1",
        "trigger after_check_in added",
        "trigger relationship added",
        "policy: version 1",
    ]
    brand = session.get_one(Brand, 1)
    assert (brand.name, brand.languages, brand.timezone) == ("Oddjob Airways", ["en", "fr"], "Europe/Paris")
    journey = one(session, Journey, "flight")
    assert journey.instance_name == {"en": "trip", "fr": "voyage"}
    assert [(s.path, s.event, s.tier, s.moment_of_truth) for s in journey.steps] == [
        ("flight.check_in", "Checked In", 2, False),
        ("flight.baggage", "Baggage Delivered", 1, True),
    ]
    version = session.scalars(select(SurveyVersion).join(Survey).where(Survey.key == "check_in_csat")).one()
    about = {"en": "check-in", "fr": "l'enregistrement"}
    assert version.definition == {"metric": "csat5", "about": about, "follow_up": "comment"}
    assert (version.number, version.published_at) == (1, AT)
    trigger = one(session, Trigger, "after_check_in")
    assert (trigger.channels, trigger.delay_seconds, trigger.expires_seconds) == (["email", "sms"], 0, 604800)
    assert (trigger.tier, trigger.step.path, trigger.survey.key) == (2, "flight.check_in", "check_in_csat")
    recurring = one(session, Trigger, "relationship")
    assert (recurring.tier, recurring.step_id, recurring.every_seconds) == (3, None, 180 * 86400)
    policy = session.scalars(select(PolicyVersion)).one()
    assert (policy.number, policy.definition["gap"], policy.effective_from) == (
        1,
        {"1": "7d", "2": "30d", "3": "30d"},
        AT,
    )
    stored = session.scalars(select(ProgrammeVersion)).one()
    assert (stored.number, stored.content, stored.applied_by) == (1, PROGRAMME, "ada@example.org")
    note = session.scalars(select(AuditEntry).where(AuditEntry.action == "programme.apply")).one()
    assert (note.actor, note.action, note.object) == ("ada@example.org", "programme.apply", "programme 1")


def test_the_same_file_again_changes_nothing(session: Db) -> None:
    apply()
    before = counts(session)
    assert apply() == ProgrammeResult(1, [])
    assert apply("# a remark\n" + PROGRAMME) == ProgrammeResult(1, [])
    assert counts(session) == before


def test_a_refused_file_changes_nothing(session: Db) -> None:
    apply()
    before, text = counts(session), export()
    with pytest.raises(ProgrammeRefused):
        apply(changed(("name: Oddjob Airways", "name: Other"), ("blocked: drop", "blocked: never")))
    assert (counts(session), export()) == (before, text)


def test_what_the_file_no_longer_names_is_archived_and_restored(session: Db) -> None:
    apply()
    small = PROGRAMME[: PROGRAMME.index("dimensions:")] + "policy: {}\n"
    with clock.at(AT):
        result = apply(small)
    assert set(result.changed) == {
        "dimension ease archived",
        "journey flight archived",
        "step flight.check_in archived",
        "step flight.baggage archived",
        "survey check_in_csat archived",
        "survey relational_nps archived",
        "trigger after_check_in archived",
        "trigger relationship archived",
        "policy: version 2",
    }
    archived = [one(session, model, key).archived_at for model, key in ((Journey, "flight"), (Step, "baggage"))]
    archived += [
        one(session, model, key).archived_at for model, key in ((Survey, "check_in_csat"), (Trigger, "relationship"))
    ]
    assert archived == [AT] * 4
    ids = one(session, Survey, "check_in_csat").id
    result = apply()
    assert "survey check_in_csat restored" in result.changed
    assert "trigger after_check_in restored" in result.changed
    assert [c for c in result.changed if "added" in c or "archived" in c] == []
    assert one(session, Survey, "check_in_csat").id == ids
    assert one(session, Survey, "check_in_csat").archived_at is None
    assert session.scalar(select(func.count()).select_from(SurveyVersion)) == 2


def test_another_question_makes_a_new_version_and_another_limit_does_not(session: Db) -> None:
    apply()
    assert apply(changed(("en: check-in", "en: the check-in"))).changed == ["survey check_in_csat: version 2"]
    assert apply().changed == ["survey check_in_csat: version 3"]
    limited = changed(("follow_up: comment", 'follow_up: comment\n    quota: 500\n    closes: "2027-03-31"'))
    assert apply(limited).changed == ["survey check_in_csat changed"]
    survey = one(session, Survey, "check_in_csat")
    assert (survey.quota, survey.closes_at) == (500, datetime(2027, 3, 31, 22, 0, tzinfo=UTC))


def test_another_metric_is_a_new_version(session: Db) -> None:
    apply()
    assert apply(changed(("csat5", "csat7"))).changed == [
        "survey check_in_csat changed",
        "survey check_in_csat: version 2",
    ]
    assert one(session, Survey, "check_in_csat").metric == "csat7"


def test_a_trigger_follows_the_tier_of_its_step(session: Db) -> None:
    apply()
    result = apply(changed(("tier: 2", "tier: 3")))
    assert result.changed == ["step flight.check_in changed", "trigger after_check_in changed"]
    assert one(session, Trigger, "after_check_in").tier == 3


def test_a_new_policy_is_a_new_version_in_force_at_once(session: Db) -> None:
    apply()
    moment = clock.now() + timedelta(minutes=1)
    with clock.at(moment):
        assert apply(changed(("2: 30d", "2: 14d"))).changed == ["policy: version 2"]
    newest = session.scalars(select(PolicyVersion).order_by(PolicyVersion.number.desc())).first()
    assert newest is not None
    assert (newest.effective_from, newest.definition["gap"]["2"], newest.created_by) == (
        moment,
        "14d",
        "ada@example.org",
    )


def test_a_policy_that_was_changed_elsewhere_is_the_files_again(session: Db) -> None:
    apply()
    with transaction() as writing:
        now = clock.now()
        writing.add(PolicyVersion(number=2, definition={}, effective_from=now, created_at=now, created_by="api"))
    assert apply().changed == ["policy: version 3"]


def test_true_is_not_one_in_a_condition(session: Db) -> None:
    apply(changed(("{class: Business}", "{vip: true}")))
    assert apply(changed(("{class: Business}", "{vip: 1}"))).changed == ["trigger after_check_in changed"]
    assert one(session, Trigger, "after_check_in").definition["where"] == {"vip": 1}


def test_what_the_nightly_job_computed_for_a_trigger_stays(session: Db) -> None:
    target = changed(("sample: 1.0", "sample: {target_half_width: 5, per: 28d}"))
    apply(target)
    with transaction():
        trigger = one(session, Trigger, "after_check_in")
        trigger.definition = trigger.definition | {"rate": 0.4}
    assert apply(target).changed == []
    assert "rate" not in export()
    assert apply(target.replace("delay: 0s", "delay: 1h")).changed == ["trigger after_check_in changed"]
    assert one(session, Trigger, "after_check_in").definition["rate"] == 0.4
    apply(target.replace("target_half_width: 5", "target_half_width: 4"))
    assert "rate" not in one(session, Trigger, "after_check_in").definition


def test_a_public_link_may_pass_from_one_survey_to_another(session: Db) -> None:
    first, second = "    follow_up: comment\n", "{key: relational_nps,"
    apply(changed((first, first + "    public: tell-us\n")))
    result = apply(changed((second, "{key: relational_nps, public: tell-us,")))
    assert set(result.changed) == {"survey check_in_csat changed", "survey relational_nps changed"}
    assert one(session, Survey, "check_in_csat").public_slug is None
    assert one(session, Survey, "relational_nps").public_slug == "tell-us"
    apply(PROGRAMME[: PROGRAMME.index("surveys:")])
    assert one(session, Survey, "relational_nps").public_slug is None


def test_a_step_may_take_the_event_of_another(session: Db) -> None:
    apply()
    swapped = changed(
        ("event: Checked In", "event: X"), ("Baggage Delivered", "Checked In"), ("event: X", "event: Bag")
    )
    assert apply(swapped).changed == ["step flight.check_in changed", "step flight.baggage changed"]


def test_an_attribute_keeps_its_slot_while_it_stays(session: Db) -> None:
    apply()
    apply(changed(("[class, customer_type]", "[age, customer_type, haul]")))
    slots = {row.name: row.slot for row in session.scalars(select(ReportingAttribute))}
    assert slots == {"class": None, "customer_type": 2, "age": 1, "haul": 3}
    assert apply(changed(("[class, customer_type]", "[customer_type, haul, age]"))).changed == []
    apply()
    slots = {row.name: row.slot for row in session.scalars(select(ReportingAttribute))}
    assert slots == {"class": 1, "customer_type": 2, "age": None, "haul": None}


def test_figures_are_counted_anew_when_the_attributes_change(session: Db) -> None:
    apply(changed(("[class, customer_type]", "[customer_type]")))
    version = session.scalars(select(SurveyVersion).join(Survey).where(Survey.key == "check_in_csat")).one()
    response = make_response(version, 4, context={"class": "Business", "customer_type": "Returning"})
    rollups.count(session, response, +1)
    session.commit()
    apply(changed(("[class, customer_type]", "[customer_type, class]")))
    counted = ANSWERS
    cells = select(MetricCell.a1, MetricCell.a2, counted).group_by(MetricCell.a1, MetricCell.a2).having(counted != 0)
    assert [tuple(row) for row in session.execute(cells)] == [("Returning", "Business", 1)]


def test_a_brands_colour_brings_its_palette(session: Db) -> None:
    apply(changed(("Paris}", 'Paris, colour: "#0B5C63"}')))
    brand = session.get_one(Brand, 1)
    assert (brand.colour, brand.palette["accent"], brand.palette["on"]) == ("#0b5c63", "#0b5c63", "#ffffff")
    apply()
    brand = session.get_one(Brand, 1)
    assert (brand.colour, brand.palette) == (None, {})


EXPORTED = """\
programme: 1
brand:
  name: Oddjob Airways
  language: en
  languages: [en, fr]
  timezone: Europe/Paris
reporting_attributes: [class, customer_type]
dimensions:
- key: ease
  promise: Travelling is simple
  attributes:
  - key: quick_check_in
    name: {en: Quick check-in}
journeys:
- key: flight
  name: {en: Flight, fr: Vol}
  instance: {en: trip, fr: voyage}
  steps:
  - key: check_in
    name: {en: Check-in, fr: Enregistrement}
    phase: before
    event: Checked In
    attributes: [quick_check_in]
    tier: 2
  - key: baggage
    name: {en: Baggage}
    event: Baggage Delivered
    moment_of_truth: true
    tier: 1
surveys:
- key: check_in_csat
  metric: csat5
  about: {en: check-in, fr: l'enregistrement}
  follow_up: comment
- {key: relational_nps, metric: nps, follow_up: comment, group: relationship}
triggers:
- key: after_check_in
  step: flight.check_in
  survey: check_in_csat
  channels: [email, sms]
  delay: 0s
  expires: 7d
  sample: 1.0
  where: {class: Business}
  reminder: {after: 3d}
  blocked: drop
- key: relationship
  every: 180d
  survey: relational_nps
  channels: [email]
  delay: 0s
  sample: 1.0
  blocked: drop
  reserve: 14d
policy:
  gap: {1: 7d, 2: 30d, 3: 30d}
  caps:
  - {per: 30d, max: 2}
  - {per: journey, max: 1}
  quiet_hours: {from: '20:00', to: '08:00'}
  holding: 0s
  reminders_count: true
  rules:
  - {kind: own_gap, survey: relational_nps, gap: 90d}
"""


def test_the_exported_file_says_the_programme_and_changes_nothing(session: Db) -> None:
    assert export() == ""
    apply()
    assert export() == EXPORTED
    assert apply(export()) == ProgrammeResult(1, [])


ODD = [
    (
        "where: {class: Business}",
        "where: {'no': 'yes', hour: '20:00', day: '2026-01-01', n: 3, f: 0.25, t: true, e: ''}",
    ),
    ("where: {class: Business}", "where: {'a: b': \"x\\ny\", '#': '- x', '?': '{', '*': '&a', '!': '<<'}"),
    ("{en: Flight, fr: Vol}", "{en: 'null', fr: \"l’été : 100 %\"}"),
    ("follow_up: comment", "follow_up: []"),
    (
        "follow_up: comment",
        "follow_up: [{key: why, kind: many, ask: {en: Why?, fr: Pourquoi ?}, options: [{key: 'no', label: {en: 'No'}},"
        " {key: b, label: {en: B}}], when: {score: {from: 1, to: 3}}}, comment]",
    ),
    ("sample: 1.0", "sample: {target_half_width: 4.5, per: 28d}"),
    ("sample: 1.0", "sample: 0.05\n    per: 30d\n    priority: -3\n    tier: 1"),
    ("[email, sms]", "[web, sms]\n    web_for: 36h"),
    ("delay: 0s", "delay: 48h"),
    ("tier: 2", "sensitive: 365d"),
]


@pytest.mark.parametrize(("old", "new"), ODD)
def test_odd_values_survive_the_round_trip(session: Db, old: str, new: str) -> None:
    source = changed((old, new))
    apply(source)
    assert apply(export()) == ProgrammeResult(1, [])
    assert apply(source) == ProgrammeResult(1, [])


def test_two_applications_at_once_follow_one_another(database_url: str, make_app: MakeApp) -> None:
    sources = [changed(("Oddjob Airways", f"Brand {n}"), ("2: 30d", f"2: {n + 10}d")) for n in range(4)]
    start = threading.Barrier(len(sources))
    failures: list[BaseException] = []

    def run(app: OpenAPI, source: str) -> None:
        try:
            with app.app_context():
                start.wait(120)
                apply(source)
                db.session.remove()
        except BaseException as problem:
            failures.append(problem)

    application = make_app(database_url)
    threads = [threading.Thread(target=run, args=(application, source)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with application.app_context():
        numbers = list(db.session.scalars(select(ProgrammeVersion.number).order_by(ProgrammeVersion.number)))
        assert numbers == [1, 2, 3, 4]
        last = db.session.scalars(select(ProgrammeVersion).where(ProgrammeVersion.number == 4)).one()
        name = db.session.get_one(Brand, 1).name
        policy = db.session.scalars(select(PolicyVersion).order_by(PolicyVersion.number.desc())).first()
        assert f"name: {name}," in last.content
        assert policy is not None
        assert f"2: {policy.definition['gap']['2']}" in last.content
        assert export() != ""


def test_the_standard_relationship_survey_need_not_be_written(app: OpenAPI, session: Db) -> None:
    source = """programme: 1
brand: {name: Oddjob Airways}
triggers:
  - {key: relationship, every: 180d, survey: relational_nps, channels: [email], reserve: 14d}
policy:
  rules: [{kind: own_gap, survey: relational_nps, gap: 180d}]
"""
    assert apply(source).version == 1
    survey = session.scalars(select(Survey)).one()
    assert (survey.key, session.scalars(select(SurveyVersion)).one().definition["metric"]) == ("relational_nps", "nps")
    assert "key: relational_nps" in export()
    assert apply(source).changed == apply(export()).changed
    with pytest.raises(ProgrammeRefused, match="There is no survey 'relationship'"):
        apply(source.replace("relational_nps", "relationship"))
