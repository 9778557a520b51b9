"""The kept dates of public holidays: known days, the moving ones against a table, and where each file comes from."""

from datetime import UTC, date, datetime

import pytest

from surveyapp.domain.eligibility import decide
from surveyapp.domain.facts import Candidate, Facts, Person
from surveyapp.domain.policy_reading import PolicyProblems, parse_policy
from surveyapp.domain.vocabulary import Outcome
from surveyapp.queries import catalog
from surveyapp.queries.policy import holidays
from surveyapp.queries.recipients import recipient_country

EASTER = {  # published dates
    2024: date(2024, 3, 31), 2025: date(2025, 4, 20), 2026: date(2026, 4, 5), 2027: date(2027, 3, 28),
    2028: date(2028, 4, 16), 2029: date(2029, 4, 1), 2030: date(2030, 4, 21),
}  # fmt: skip
COUNTRIES = sorted(holidays())


def test_the_countries_that_are_kept() -> None:
    assert {"FR", "FR-AM", "DE", "DE-BY", "ES", "NL", "GB", "GB-SCT", "US", "BE", "CH"} <= set(COUNTRIES)
    assert "XX" not in holidays()


@pytest.mark.parametrize("country", COUNTRIES)
def test_each_file_names_its_source_and_its_date_and_covers_2024_to_2030(country: str) -> None:
    file = catalog.read_yaml(f"holidays/{country}.yaml")
    assert (file["country"], file["as_of"]) == (country, date(2026, 11, 22))
    assert file["name"]
    assert len(file["source"]) > 10
    dates = holidays()[country]
    assert list(dates) == sorted(dates)
    for year in EASTER:
        assert 4 <= sum(day.year == year for day in dates) <= 20
        assert date(year, 1, 1) in dates
        assert date(year, 12, 25) in dates


@pytest.mark.parametrize("year", EASTER)
def test_the_moving_days_follow_easter(year: int) -> None:
    ordinal = EASTER[year].toordinal()
    for country, day, offset in (
        ("FR", "Easter Monday", 1), ("FR", "Ascension Day", 39), ("FR", "Whit Monday", 50),
        ("FR-AM", "Good Friday", -2),
        ("DE", "Good Friday", -2), ("DE-BY", "Corpus Christi", 60), ("ES", "Good Friday", -2),
        ("NL", "Whit Monday", 50),
        ("GB", "Easter Monday", 1), ("BE", "Ascension Day", 39), ("CH", "Ascension Day", 39),
    ):  # fmt: skip
        assert holidays()[country][date.fromordinal(ordinal + offset)] == day


@pytest.mark.parametrize(
    ("country", "day", "name"),
    [
        ("FR", date(2026, 7, 14), "Bastille Day"),
        ("FR-AM", date(2026, 12, 26), "St Stephen's Day"),
        ("NL", date(2025, 4, 26), "King's Day"),
        ("NL", date(2026, 4, 27), "King's Day"),
        ("GB", date(2026, 12, 28), "Boxing Day (substitute day)"),
        ("GB", date(2028, 1, 3), "New Year's Day (substitute day)"),
        ("GB", date(2026, 8, 31), "Summer bank holiday"),
        ("GB-SCT", date(2026, 8, 3), "Summer bank holiday"),
        ("US", date(2026, 7, 3), "Independence Day (observed)"),
        ("US", date(2026, 11, 26), "Thanksgiving Day"),
        ("DE-SN", date(2026, 11, 18), "Day of Repentance"),
        ("DE-BE", date(2028, 6, 17), "75 years since the uprising of 17 June 1953"),
        ("CH", date(2026, 8, 1), "Swiss National Day"),
    ],
)
def test_known_days_are_there(country: str, day: date, name: str) -> None:
    assert holidays()[country][day] == name


def test_a_day_that_one_region_keeps_is_not_kept_elsewhere() -> None:
    assert date(2026, 4, 3) not in holidays()["FR"]
    assert date(2026, 12, 26) not in holidays()["FR"]
    assert date(2026, 4, 27) not in holidays()["BE"]


def asked(rule: dict[str, object], now: datetime, zone: str, country: str | None) -> tuple[Outcome, datetime | None]:
    person = Person("c", now, frozenset({"email"}), (zone,), country=country)
    candidate = Candidate("d", "t", "s", "csat5", "e", ("email",), 2, now, now)
    ruling = decide(Facts(person, candidate), parse_policy({"rules": [rule]}, 1, holidays()), now, "key")
    return ruling.outcome, ruling.not_before


def test_a_holiday_lasts_the_recipients_own_day_and_ends_with_their_midnight() -> None:
    rule = {"kind": "holidays", "country": "FR"}
    eve = datetime(2026, 7, 13, 21, 59, tzinfo=UTC)  # 23:59 in Paris
    assert asked(rule, eve, "Europe/Paris", None)[0] is Outcome.ASKED
    outcome, until = asked(rule, datetime(2026, 7, 13, 22, 0, tzinfo=UTC), "Europe/Paris", None)
    assert outcome is Outcome.WAITING
    assert until is not None
    assert datetime(2026, 7, 14, 22, 0, tzinfo=UTC) <= until <= datetime(2026, 7, 14, 22, 20, tzinfo=UTC)


def test_with_country_customer_each_one_rests_on_the_holidays_of_their_own_country() -> None:
    rule = {"kind": "holidays", "country": "customer"}
    bastille = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
    assert asked(rule, bastille, "Europe/Paris", "FR")[0] is Outcome.WAITING
    assert asked(rule, bastille, "Europe/Berlin", "DE")[0] is Outcome.ASKED
    assert asked(rule, bastille, "Asia/Tokyo", "JP")[0] is Outcome.ASKED
    assert asked(rule, bastille, "Europe/Paris", None)[0] is Outcome.ASKED


def test_a_country_without_dates_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(PolicyProblems) as found:
        parse_policy({"rules": [{"kind": "holidays", "country": "XX"}]}, 1, holidays())
    [(path, sentence)] = found.value.problems
    assert path == ("rules", 0, "country")
    assert "FR, FR-AM, GB" in sentence


@pytest.mark.parametrize(
    ("zone", "phone", "country"),
    [
        ("Europe/Paris", None, "FR"),
        ("America/New_York", "+442079460958", "GB"),
        (None, "+33612345678", "FR"),
        ("UTC", None, None),
        (None, None, None),
    ],
)
def test_the_country_is_that_of_the_number_else_of_the_zone(
    zone: str | None, phone: str | None, country: str | None
) -> None:
    assert recipient_country(zone, phone) == country
