"""Figures from cells: grouped, filtered, gated, and hidden where a total would reveal a few people."""

import random
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain.gates import Status
from surveyapp.models import SurveyVersion, Trigger
from surveyapp.queries import metrics
from surveyapp.queries.metrics import Filters
from surveyapp.services import rollups
from tests.builders import MOMENT, make_reporting_attribute, make_response, make_responses, make_step, make_survey

Database = scoped_session[Session]
CES = {1: 6, 2: 8, 3: 10, 4: 16, 5: 30, 6: 45, 7: 35}


@pytest.fixture
def nps(session: Database) -> SurveyVersion:
    return make_survey("relational_nps", "nps")


def answers(session: Database, version: SurveyVersion, histogram: Mapping[int, int], **overrides: Any) -> None:
    rollups.count_many(session, make_responses(version, histogram, **overrides))
    session.commit()


def test_i73_nothing_asked_is_no_data_and_not_zero(session: Database) -> None:
    found = metrics.figure(session, "nps")
    assert (found.n, found.value, found.low, found.histogram, found.status) == (0, None, None, None, Status.NO_DATA)


def test_a_score_of_zero_counts_and_is_not_blank(session: Database, nps: SurveyVersion) -> None:
    answers(session, nps, {0: 30})
    found = metrics.figure(session, "nps")
    assert (found.n, found.value, found.histogram, found.status) == (30, -100.0, {0: 30}, Status.OK)


def test_nps_of_sixty_answers_reads_as_published(session: Database, nps: SurveyVersion) -> None:
    answers(session, nps, {6: 10, 8: 20, 9: 20, 10: 10})
    found = metrics.figure(session, "nps")
    assert (found.n, found.n_eff, found.status) == (60, 60.0, Status.OK)
    assert found.value == pytest.approx(33.333333)
    assert (found.low, found.high) == (pytest.approx(13.301183), pytest.approx(50.190881))


def test_csat_and_ces_read_as_published(session: Database) -> None:
    answers(session, make_survey("csat", "csat5"), {1: 4, 2: 6, 3: 10, 4: 45, 5: 35})
    answers(session, make_survey("ces", "ces2"), CES)
    csat, ces = metrics.figure(session, "csat5"), metrics.figure(session, "ces2")
    assert (csat.value, csat.mean) == (80.0, pytest.approx(4.01))
    assert (csat.low, csat.high) == (pytest.approx(71.117083), pytest.approx(86.663307))
    assert (ces.value, ces.mean) == (pytest.approx(73.333333), pytest.approx(5.206667))
    assert (ces.low, ces.high) == (pytest.approx(65.73855), pytest.approx(79.762839))


@pytest.mark.parametrize(
    ("n", "status"), [(1, "suppressed"), (4, "suppressed"), (5, "low_n"), (29, "low_n"), (30, "ok")]
)
def test_a_figure_opens_with_its_answers(session: Database, nps: SurveyVersion, n: int, status: str) -> None:
    answers(session, nps, {9: n})
    found = metrics.figure(session, "nps")
    assert (found.n, found.status) == (n, status)
    shown = status != "suppressed"
    assert (found.value is not None, found.low is not None, found.mean is not None) == (shown, shown, shown)
    assert (found.histogram is not None) == shown


def test_only_confirmed_answers_count_and_provisional_ones_are_told(session: Database, nps: SurveyVersion) -> None:
    answers(session, nps, {10: 30})
    answers(session, nps, {0: 7}, status="provisional")
    answers(session, nps, {0: 9}, status="suspected_bot")
    found = metrics.figure(session, "nps")
    assert (found.n, found.value, found.provisional) == (30, 100.0, 7)


def test_days_are_included_at_both_ends(session: Database, nps: SurveyVersion) -> None:
    for offset in range(4):
        answers(session, nps, {10: 10 + offset}, reporting_day=date(2026, 11, 1) + timedelta(days=offset))
    filters = Filters(first=date(2026, 11, 2), last=date(2026, 11, 3))
    assert metrics.figure(session, "nps", filters).n == 11 + 12
    days = metrics.daily(session, "nps", filters)
    assert [(d.key["day"], d.n) for d in days] == [("2026-11-02", 11), ("2026-11-03", 12)]


def test_weeks_and_months_merge_counts_and_never_values(session: Database, nps: SurveyVersion) -> None:
    answers(session, nps, {10: 30}, reporting_day=date(2026, 12, 28))
    answers(session, nps, {0: 10}, reporting_day=date(2027, 1, 3))
    weeks = metrics.series(session, "nps", "week")
    assert [(w.key["week"], w.n, w.value) for w in weeks] == [("2026-W53", 40, 50.0)]
    months = metrics.series(session, "nps", "month")
    assert [(m.key["month"], m.value) for m in months] == [("2026-12", 100.0), ("2027-01", -100.0)]


@pytest.mark.parametrize(
    ("name", "column", "values"),
    [
        ("journey", "journey", ("claim", "flight")),
        ("step", "step", ("flight.boarding", "flight.check_in")),
        ("phase", "phase", ("after", "before")),
        ("channel", "channel", ("email", "sms")),
        ("language", "language", ("en", "fr")),
    ],
)
def test_every_dimension_groups_and_filters(
    session: Database, nps: SurveyVersion, name: str, column: str, values: tuple[str, str]
) -> None:
    answers(session, nps, {10: 31}, **{column: values[0]})
    answers(session, nps, {0: 32}, **{column: values[1]})
    groups = metrics.figures_by(session, "nps", (name,))
    assert [(g.key[name], g.n, g.value) for g in groups] == [(values[0], 31, 100.0), (values[1], 32, -100.0)]
    assert metrics.figure(session, "nps", Filters(**{name: values[1]})).n == 32


def test_survey_version_and_context_group_and_filter(session: Database) -> None:
    make_reporting_attribute("class", 5)
    first, second = make_survey("a", "nps"), make_survey("a", "nps")
    answers(session, first, {10: 30}, context={"class": "Business"})
    answers(session, second, {10: 40}, context={"class": "Eco"})
    answers(session, second, {10: 50}, context={})
    groups = metrics.figures_by(session, "nps", ("survey", "version", "context.class"))
    assert [(*g.key.values(), g.n) for g in groups] == [
        ("a", 1, "Business", 30),
        ("a", 2, "Eco", 40),
        ("a", 2, None, 50),
    ]
    assert metrics.figure(session, "nps", Filters(version=2)).n == 90
    assert metrics.figure(session, "nps", Filters(context={"class": "Eco"})).n == 40
    assert metrics.figure(session, "nps", Filters(survey="a", context={"class": "First"})).status == Status.NO_DATA


def test_an_attribute_that_is_not_reporting_is_refused_by_name(session: Database) -> None:
    with pytest.raises(metrics.NotReporting, match="^seat$"):
        metrics.figures_by(session, "nps", ("context.seat",))
    with pytest.raises(metrics.NotReporting, match="^seat$"):
        metrics.figure(session, "nps", Filters(context={"seat": "1A"}))


def test_the_sum_of_groups_and_the_total_are_the_same_answers(session: Database, nps: SurveyVersion) -> None:
    answers(session, nps, {10: 31, 7: 5}, channel="email")
    answers(session, nps, {0: 32}, channel="sms")
    found = metrics.report(session, "nps", group_by=("channel",))
    assert sum(g.n for g in found.groups) == found.total.n == 68
    assert found.total.histogram == {0: 32, 7: 5, 10: 31}


def test_i73_a_small_group_takes_the_next_smallest_with_it(session: Database, nps: SurveyVersion) -> None:
    for channel, n in (("email", 40), ("sms", 3), ("web", 12)):
        answers(session, nps, {9: n}, channel=channel)
    found = metrics.report(session, "nps", group_by=("channel",))
    states = {g.key["channel"]: (g.n, g.status.value, g.value, g.histogram) for g in found.groups}
    assert states == {
        "email": (40, "ok", 100.0, {9: 40}),
        "sms": (3, "suppressed", None, None),
        "web": (12, "suppressed", None, None),
    }
    assert found.total.n == 55
    assert found.total.value == 100.0


def test_employees_are_hidden_under_ten(session: Database) -> None:
    answers(session, make_survey("pulse", "enps"), {9: 9})
    assert metrics.figure(session, "enps").status == Status.SUPPRESSED


def test_weights_undo_unequal_chances_and_gate_on_effective_answers(session: Database, nps: SurveyVersion) -> None:
    answers(session, nps, {5: 10, 7: 20, 9: 70})
    answers(session, nps, {5: 20, 7: 15, 9: 15}, inclusion=0.1)
    plain, found = metrics.figure(session, "nps"), metrics.figure(session, "nps", weighted=True)
    assert plain.value == pytest.approx(36.666667)
    assert (found.n, found.n_eff) == (150, pytest.approx(70.588235))
    assert (found.value, found.low, found.high) == (
        pytest.approx(1.666667),
        pytest.approx(-17.922308),
        pytest.approx(21.255642),
    )
    assert found.histogram == {5: 30, 7: 35, 9: 85}


def test_the_heaviest_hundredth_is_trimmed_to_the_step_below(session: Database, nps: SurveyVersion) -> None:
    answers(session, nps, {9: 990})
    answers(session, nps, {0: 10}, inclusion=0.001)
    found = metrics.report(session, "nps", weighted=True)
    assert (found.trimmed_at, found.total.value, found.total.n_eff) == (1.0, 98.0, 1000.0)
    assert metrics.report(session, "nps").trimmed_at is None
    answers(session, nps, {0: 1}, inclusion=0.001)
    found = metrics.report(session, "nps", weighted=True)
    assert (found.trimmed_at, found.total.n_eff) == (1000.0, pytest.approx(11_990**2 / 11_000_990))
    assert found.total.refused


def test_a_trim_is_that_of_the_whole_report_so_that_groups_add_up(session: Database, nps: SurveyVersion) -> None:
    answers(session, nps, {9: 5000}, channel="email")
    answers(session, nps, {0: 40}, channel="sms", inclusion=0.01)
    groups = metrics.report(session, "nps", group_by=("channel",), weighted=True).groups
    assert [(g.key["channel"], g.value, g.n_eff) for g in groups] == [("email", 100.0, 5000.0), ("sms", -100.0, 40.0)]


def test_a_weighted_figure_worth_under_thirty_answers_is_refused(session: Database, nps: SurveyVersion) -> None:
    answers(session, nps, {9: 60})
    answers(session, nps, {0: 3}, inclusion=0.02)
    found = metrics.figure(session, "nps", weighted=True)
    assert found.n_eff == pytest.approx(210**2 / (60 + 3 * 2500))
    assert (found.refused, found.status, found.value, found.low, found.mean) == (True, Status.LOW_N, None, None, None)
    assert found.histogram == {0: 3, 9: 60}
    plain = metrics.figure(session, "nps")
    assert (plain.refused, plain.value) == (False, pytest.approx(100 * 57 / 63))


@pytest.mark.parametrize("seed", range(6))
def test_i75_no_hidden_group_can_be_found_by_subtraction_within_one_answer(
    session: Database, nps: SurveyVersion, seed: int
) -> None:
    chance = random.Random(seed)
    for channel in ("email", "sms", "web"):
        for language in ("en", "fr"):
            n = chance.choice([0, 0, 1, 2, 3, 4, 5, 7, 12, 40])
            scores = Counter(chance.choice([0, 7, 9, 10]) for _ in range(n))
            answers(session, nps, scores, channel=channel, language=language, inclusion=chance.choice([None, 0.2]))
    for group_by in (("channel",), ("language",), ("channel", "language")):
        for weighted in (False, True):
            found = metrics.report(session, "nps", group_by=group_by, weighted=weighted)
            away = [g for g in found.groups if g.status is Status.SUPPRESSED]
            assert all(g.n >= 5 for g in found.groups if g not in away)
            assert all((g.value, g.low, g.mean, g.histogram, g.refused) == (*[None] * 4, False) for g in away)
            if away and found.total.histogram is not None:
                rest = Counter(found.total.histogram)
                for g in found.groups:
                    rest.subtract(g.histogram or {})
                assert (len(away) >= 2, rest.total() >= 5) == (True, True)


def test_more_than_a_thousand_groups_are_refused(session: Database, nps: SurveyVersion) -> None:
    days = [MOMENT.date() - timedelta(days=back) for back in range(1001)]
    made = [make_response(nps, 9, flush=False, instance=None, reporting_day=day) for day in days]
    rollups.count_many(session, made)
    session.commit()
    with pytest.raises(metrics.TooManyGroups):
        metrics.daily(session, "nps")
    assert len(metrics.daily(session, "nps", Filters(first=MOMENT.date() - timedelta(days=999)))) == 1000


def test_a_journey_shows_a_figure_for_every_step_that_is_asked(session: Database) -> None:
    csat, ces = make_survey("csat", "csat5"), make_survey("ces", "ces2")
    make_step("check_in", position=1)
    boarding, baggage = make_step("boarding", position=2), make_step("baggage", position=3)
    session.add(Trigger(key="after_boarding", step=boarding, survey=csat.survey, channels=["email"], definition={}))
    session.add(Trigger(key="after_baggage", step=baggage, survey=ces.survey, channels=["email"], definition={}))
    answers(session, csat, {5: 30, 1: 10}, step="flight.boarding")
    answers(session, ces, {7: 6}, step="flight.boarding")
    found = metrics.step_figures(session, "flight")
    assert list(found) == ["flight.boarding", "flight.baggage"]
    assert (found["flight.boarding"].metric, found["flight.boarding"].value) == ("csat5", 75.0)
    assert (found["flight.baggage"].metric, found["flight.baggage"].status) == ("ces2", Status.NO_DATA)
