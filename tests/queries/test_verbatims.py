"""Both databases find the same words, and exactly those that the rule itself finds."""

import random
from datetime import timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, scoped_session

from surveyapp.domain import verbatims as domain
from surveyapp.domain.gates import Status
from surveyapp.domain.verbatims import ANY, Theme
from surveyapp.models import Response, SurveyVersion, Verbatim
from surveyapp.queries import verbatims as queries
from surveyapp.queries.console.paging import read_mark
from surveyapp.queries.verbatims import Wanted
from surveyapp.services import privacy, verbatims
from tests.builders import MOMENT, make_customer, make_response, make_survey

Database = scoped_session[Session]
COMMENTS = [
    ("Très long à l'embarquement, file d'attente énorme", "fr"),
    ('The QUEUE was long; but "friendly" staff', "en"),
    ("Queues everywhere AND nobody", "en"),
    ("جِدًّا بطيء، طابور طويل", "ar"),
    ("50% off* (or not) - a:b NEAR/2 c^d", "en"),
    ("Wunderschöne Straße", "de"),
    ("日本語のコメント", None),
    ("🙂", "en"),
]


def say(session: Database, comments: list[tuple[str, str | None]], version: SurveyVersion) -> list[Response]:
    made = [make_response(version, 1 + n % 5, comment=words, language=lang) for n, (words, lang) in enumerate(comments)]
    verbatims.keep(session, {one.id: one.comment for one in made})
    session.commit()
    return made


def found(session: Database, typed: str) -> list[str | None]:
    page = queries.comment_page(session(), Wanted(terms=domain.sought(typed)), None)
    return sorted(row.comment for row in page.rows)


SEARCHES = [
    ("TRES enorme", [0]),
    ("queue", [1, 2]),
    ("queue long", [1]),
    ('"friendly" staff', [1]),
    ("queue OR staff", []),
    ("and", [2]),
    ("جدا", [3]),
    ("طابور طويل", [3]),
    ("NEAR/2", [4]),
    ("a:b", [4]),
    ("strasse", [5]),
    ("日本語", [6]),
    ("'); DELETE FROM verbatim; --", []),
    ("nobody*", [2]),
    ("obody", []),
]


def test_a_search_finds_the_same_on_both_databases(session: Database) -> None:
    say(session, COMMENTS, make_survey())
    for typed, places in SEARCHES:
        assert found(session, typed) == sorted(COMMENTS[place][0] for place in places), typed
        terms = domain.sought(typed)
        fitting = [words for words, _ in COMMENTS if all(t.fits(domain.folded(words).split()) for t in terms)]
        assert found(session, typed) == sorted(fitting), typed


def test_themes_count_what_their_rules_fit_and_show_a_gated_figure(session: Database) -> None:
    chance = random.Random(7)
    words = ["late", "later", "bag", "bagage", "retard", "été", "queue", "طابور", "ok", "NOT", "x-ray"]
    comments = [(" ".join(chance.choices(words, k=4)), chance.choice(["en", "fr", "ar", None])) for _ in range(80)]
    say(session, comments, make_survey())
    themes = [
        Theme("Late", "delivery", {"en": ["late*"], "fr": ["retard"]}),
        Theme("Bags", "design", {ANY: ["bag* ok", "طابور"]}),
        Theme("Summer", "", {"fr": ["ete x-ray"]}),
    ]
    for theme in themes:
        verbatims.save_theme(None, theme)
    rows = queries.theme_rows(session(), Wanted(), "csat5")
    assert {row.theme.name: row.n for row in rows} == {
        theme.name: sum(theme.fits(words, language) for words, language in comments) for theme in themes
    }
    for row in rows:
        assert row.figure is not None
        few = row.n < 5
        assert (row.figure.n, row.figure.value is None, row.figure.low is None) == (row.n, few, few)
    assert {row.figure.status for row in rows if row.figure} >= {Status.LOW_N}
    only = queries.narrowed(Wanted(terms=domain.sought("queue")), themes[0])
    assert sum(queries.counts(session(), only)["csat5"].n.values()) == sum(
        themes[0].fits(words, language) and "queue" in words for words, language in comments
    )


def test_a_changed_comment_is_found_under_its_new_words_only(session: Database) -> None:
    one = say(session, [("old words", "en")], make_survey())[0]
    verbatims.keep(session, {one.id: "fresh ones"})
    session.commit()
    one.comment = "fresh ones"
    session.commit()
    assert (found(session, "old"), found(session, "fresh")) == ([], ["fresh ones"])
    verbatims.keep(session, {one.id: ""})
    session.commit()
    assert found(session, "fresh") == []


def test_robots_and_other_days_are_left_out_and_pages_follow_one_another(session: Database) -> None:
    version = make_survey()
    made = say(session, [(f"queue {n}", "en") for n in range(120)], version)
    made[0].status = "suspected_bot"
    made[1].reporting_day = MOMENT.date() - timedelta(days=1)
    session.commit()
    wanted = Wanted(terms=domain.sought("queue"), first=MOMENT.date(), last=MOMENT.date())
    page, seen = queries.comment_page(session(), wanted, None), 0
    while True:
        seen += len(page.rows)
        if page.older is None:
            break
        page = queries.comment_page(session(), wanted, read_mark(page.older))
    assert seen == 118


def test_erasing_a_person_erases_the_words_from_the_index(session: Database) -> None:
    customer = make_customer()
    version = make_survey()
    made = [make_response(version, 3, comment="Zanzibar", customer_id=customer.id) for _ in range(2)]
    verbatims.keep(session, {one.id: one.comment for one in made})
    session.commit()
    external_id = customer.external_id
    assert found(session, "zanzibar") == ["Zanzibar"] * 2
    privacy.erase(external_id)
    assert found(session, "zanzibar") == []
    assert session.scalar(select(func.count()).select_from(Verbatim)) == 0
    if session.get_bind().dialect.name == "sqlite":
        blocks = session.execute(text("SELECT block FROM verbatim_words_data")).scalars()
        assert not any(b"zanzibar" in bytes(block) for block in blocks)
