"""The page of customers' words: found words are data, themes are edited by editors, an answer is one click away."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session, scoped_session

from surveyapp import clock
from surveyapp.domain.vocabulary import ResponseStatus
from surveyapp.models import AuditEntry, Theme, Verbatim
from surveyapp.services import cases
from surveyapp.services.responses import record
from surveyapp.services.responses_import import import_responses
from tests.builders import MOMENT, make_brand, make_customer, make_invitation, make_step, make_survey
from tests.people import sign_in_as

Database = scoped_session[Session]


@pytest.fixture(autouse=True)
def today(session: Database) -> Iterator[None]:
    make_brand()
    with clock.at(MOMENT):
        yield


def test_an_answer_is_found_by_its_words_as_soon_as_it_is_given(client: FlaskClient, session: Database) -> None:
    customer = make_customer()
    invitation = make_invitation(make_survey(), customer, make_step())
    told = {"status": ResponseStatus.CONFIRMED, "channel": "email"}
    response = record(invitation, score=2, comment="<b>Long</b> queue, très mal", **told)
    cases.open_case(customer.external_id)
    sign_in_as(client, "analyst")
    page = client.get("/admin/verbatims/?q=TRES+long").text
    assert "1 confirmed answer with words in 28 days that says “TRES long”" in page
    assert "&lt;b&gt;Long&lt;/b&gt; queue, très mal" in page
    assert f'href="/admin/responses/{response.uid}"' in page
    assert f'href="/admin/decisions/{response.decision}"' in page
    assert "open case" in page
    record(invitation, comment="all good now", **told)
    assert "No words match" in client.get("/admin/verbatims/?q=queue").text
    assert "all good now" in client.get("/admin/verbatims/?q=good").text
    assert "No word to look for" in client.get("/admin/verbatims/?q=%22-%27%28").text
    assert client.get("/admin/verbatims/?q=a&theme=x&metric=y&older=z&days=5").status_code == 200


def test_imported_words_are_found_too(client: FlaskClient, session: Database) -> None:
    make_survey()
    row = {"survey": "check_in_csat", "channel": "email", "answered_at": MOMENT.isoformat()}
    done = import_responses(
        [
            row | {"id": "r-1", "score": 4, "comment": "Crème brûlée"},
            row | {"id": "r-2", "score": 4, "comment": None},
        ]
    )
    assert done.imported == 2
    assert session.scalars(select(Verbatim.words)).all() == ["creme brulee"]
    sign_in_as(client, "agent")
    assert "Crème brûlée" in client.get("/admin/verbatims/?q=creme").text


def test_editors_keep_themes_and_others_read_them(client: FlaskClient, session: Database) -> None:
    token = sign_in_as(client, "editor")
    form = {"name": "Waiting", "gap": "delivery", "words-en": "queue, long wait*", "csrf_token": token}
    assert client.post("/admin/verbatims/themes/new", data=form).status_code == 303
    theme = session.scalars(select(Theme)).one()
    assert (theme.name, theme.gap, theme.rules) == ("Waiting", "delivery", {"en": ["queue", "long wait*"]})
    for data, sentence in (
        (form, "Another theme has this name."),
        (form | {"name": " "}, "Name: one line of 1 to 120 characters."),
        (form | {"name": "Other", "words-en": ""}, "Write at least one keyword."),
        (form | {"name": "Other", "words-fr": "!!"}, "holds no letter or digit."),
    ):
        refused = client.post("/admin/verbatims/themes/new", data=data)
        assert (refused.status_code, sentence in refused.text) == (422, True)
    assert client.post("/admin/verbatims/themes/new", data=form | {"gap": "x"}).status_code == 400
    assert "long wait*" in client.get(f"/admin/verbatims/themes/{theme.uid}").text
    assert client.get("/admin/verbatims/themes/unknown").status_code == 404
    changed = form | {"words-en": "", "words-any": "late"}
    assert client.post(f"/admin/verbatims/themes/{theme.uid}", data=changed).status_code == 303
    session.expire_all()
    assert session.scalars(select(Theme.rules)).one() == {"any": ["late"]}
    assert client.post(f"/admin/verbatims/themes/{theme.uid}", data=form | {"remove": "1"}).status_code == 303
    assert session.scalars(select(Theme)).all() == []
    assert session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()[-1] == "theme.removed"
    reader = sign_in_as(client, "analyst")
    assert client.get("/admin/verbatims/themes/new").status_code == 403
    assert client.post("/admin/verbatims/themes/new", data=form | {"csrf_token": reader}).status_code == 403
