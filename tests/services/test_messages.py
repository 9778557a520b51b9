"""What leaves for a planned message: links, headers, languages, size, and values that try to break out."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveyapp.channels.base import OutgoingMessage
from surveyapp.domain import tokens
from surveyapp.domain.policy import Cap, Policy
from surveyapp.domain.segments import count
from surveyapp.domain.vocabulary import Channel
from surveyapp.queries import catalog
from surveyapp.services.messages import MessageNotRenderable, compose
from tests.messages import INVITATION, SLUG, make_message

KEY = "a secret of the tests"
BASE = "https://questions.example.org"
SETTINGS: Mapping[str, Any] = {
    "SECRET_KEY": KEY,
    "SECRET_KEY_FALLBACKS": ["an older secret"],
    "BASE_URL": BASE,
    "EMAIL_FROM": "ask@mail.example.org",
    "TWILIO_FROM": "",
    "TWILIO_MESSAGING_SERVICE_SID": "",
}
POLICY = Policy(caps=(Cap(2, timedelta(days=30)),))
ANSWER = f"{BASE}/s/{tokens.mint('answer', INVITATION, [KEY])}"
SHORT = f"{BASE}/t/{SLUG}"
OPT_OUT = f"{BASE}/u/{tokens.mint('opt_out', INVITATION, [KEY])}"
PREFERENCES = f"{BASE}/p/{tokens.mint('preferences', INVITATION, [KEY])}"
HOSTILE = (
    "<script>alert(1)</script>",
    "{{7*7}}",
    "{% raw %}",
    "{about}",
    '"><img src=x onerror=alert(1)>',
    "a\r\nBcc: eve@example.org",
    "end \u202egnp.exe",
    "]]><!--",
    "<![endif]-->",
    "nul\0l",
    "lone\ud800",
)


def composed(**of: Any) -> OutgoingMessage:
    message, brand = make_message(**of)
    return compose(message, SETTINGS, brand, POLICY)


class Reader(HTMLParser):
    """What a mail program makes of the HTML: its links, its visible words, its elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.links += [value or "" for name, value in attrs if tag == "a" and name == "href"]

    def handle_data(self, data: str) -> None:
        self.words += data


def read(message: OutgoingMessage) -> Reader:
    assert message.html is not None
    return Reader(message.html)


def test_the_headers_are_exactly_these() -> None:
    assert composed().headers == {
        "Message-ID": "<m-1@mail.example.org>",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Unsubscribe": f"<{OPT_OUT}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": "<questions.questions.example.org>",
    }


def test_a_message_is_addressed_and_named() -> None:
    message = composed()
    assert (message.uid, message.channel, message.recipient) == ("m-1", Channel.EMAIL, "ada@example.org")
    assert message.sender == "Oddjob Airways <ask@mail.example.org>"
    assert message.subject == "One question about check-in"


@pytest.mark.parametrize(
    ("configured", "name", "sender"),
    [
        ("ask@example.org", "Smith, Wesson & Co.", '"Smith, Wesson & Co." <ask@example.org>'),
        ("Customer care <ask@example.org>", "Oddjob", "Customer care <ask@example.org>"),
        ("ask@example.org", "Hôtel Élysée", "Hôtel Élysée <ask@example.org>"),
    ],
)
def test_the_sender_carries_the_configured_name_or_the_brands(configured: str, name: str, sender: str) -> None:
    message, brand = make_message(name=name)
    assert compose(message, {**SETTINGS, "EMAIL_FROM": configured}, brand).sender == sender


def test_the_scale_is_eleven_links_in_reading_order() -> None:
    reader = read(composed())
    assert reader.links == [
        *(f"{ANSWER}?score={score}" for score in range(11)),
        ANSWER,
        OPT_OUT,
        PREFERENCES,
        f"{ANSWER}/all",  # seen by no person: whoever follows it follows every link
    ]


def test_a_link_that_no_person_sees_is_in_the_html_alone() -> None:
    message = composed()
    assert message.html is not None
    hidden = re.findall(
        r'<div [^>]*aria-hidden="true"[^>]*><a href="[^"]*/all" tabindex="-1"[^>]*>…</a></div>', message.html
    )
    assert len(hidden) == 1
    assert "display:none" in hidden[0].replace(" ", "")
    assert "/all" not in message.text


def test_the_text_part_has_the_same_links_ten_first_and_opt_out_last() -> None:
    text = composed().text
    lines = [line for line in text.splitlines() if "?score=" in line]
    assert lines == [
        f"10 Extremely likely – {ANSWER}?score=10",
        *(f"{score} – {ANSWER}?score={score}" for score in range(9, 0, -1)),
        f"0 Not at all likely – {ANSWER}?score=0",
    ]
    assert text.splitlines()[-2:] == ["Don’t ask me again", OPT_OUT]
    assert f"\nPreferences\n{PREFERENCES}\n" in text


def test_labelled_scales_stand_in_lines_with_the_highest_on_top() -> None:
    message = composed(metric="csat5", language="fr")
    assert read(message).links[:5] == [f"{ANSWER}?score={score}" for score in (5, 4, 3, 2, 1)]
    assert message.subject == "Une question sur l'enregistrement"
    assert "Globalement, quel est votre niveau de satisfaction concernant l'enregistrement" in message.text
    assert "Deux questions au plus en 30 jours, jamais de publicité." in message.text
    assert "le 2 novembre" in message.text  # the event's evening in UTC was the next day in Paris


@pytest.mark.parametrize("metric", ["ces2", "csat7", "ces1", "disconfirmation", "pmf", "intention", "enps", "tnps"])
@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "nl", "ar", "xx"])
def test_every_metric_renders_in_every_language(metric: str, language: str) -> None:
    for channel in ("email", "sms"):
        message = composed(metric=metric, language=language, channel=channel)
        assert {"email": ANSWER, "sms": SHORT}[channel] in message.text
        assert "{" not in message.text + (message.subject or "")


def test_arabic_runs_from_right_to_left() -> None:
    message = composed(language="ar", about={"ar": "إنجاز إجراءات السفر"})
    assert message.html is not None
    assert '<html lang="ar" dir="rtl"' in message.html
    assert 'lang="ar" dir="rtl">' in message.html
    assert "text-align: right" in message.html
    assert "text-align: left" not in message.html
    assert message.subject == "سؤال واحد عن إنجاز إجراءات السفر"


def test_an_about_text_missing_in_a_language_is_the_brands_own() -> None:
    assert composed(language="de").subject == "Eine Frage zum Thema: check-in"
    assert composed(about={}).subject == "One question from Oddjob Airways"


def test_a_survey_without_a_step_names_no_day() -> None:
    text = composed(step=False, about={}).text
    assert "You get this because you are a customer of Oddjob Airways." in text
    assert "November" not in text


def test_a_reminder_says_so_in_its_subject() -> None:
    assert composed(kind="reminder").subject == "A short reminder: one question about check-in"


@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "nl", "ar"])
def test_more_than_one_question_is_no_longer_promised_as_one(language: str) -> None:
    """An honest invitation: the length that is promised is that of the survey. A box for a comment asks nothing."""
    base = {"metric": "nps", "about": {"en": "check-in"}}
    asked = [{"key": "reason", "kind": "choice"}, {"key": "words", "kind": "comment"}]
    short = composed(language=language, definition=base)
    for follow_up in ("comment", ["comment"], [{"key": "words", "kind": "comment"}]):
        assert composed(language=language, definition=base | {"follow_up": follow_up}).text == short.text
    long = composed(language=language, definition=base | {"follow_up": asked})
    assert long.subject != short.subject
    assert read(long).words != read(short).words
    if language == "en":
        assert long.subject == "A few questions about check-in"
        assert "further ones: 2 at most" in long.text
        assert "One question" not in read(long).words
        reminder = composed(kind="reminder", definition=base | {"follow_up": asked})
        assert reminder.subject == "A short reminder: a few questions about check-in"


def test_the_promise_is_left_out_when_the_policy_gives_none() -> None:
    message, brand = make_message()
    text = compose(message, SETTINGS, brand, Policy()).text
    assert "We never ask to sell you anything." in text
    assert "at most" not in text


def test_a_ten_point_email_stays_under_twenty_kilobytes_in_every_language() -> None:
    for language in ("en", "fr", "de", "es", "nl", "ar"):
        message = composed(
            language=language, postal_address="1 Runway Road, 75000 Paris", privacy_url=f"{BASE}/privacy"
        )
        assert message.html is not None
        whole = message.html + message.text + "".join(f"{k}: {v}\r\n" for k, v in message.headers.items())
        assert len(whole.encode()) <= 16_000
        assert len(message.html.encode()) <= 13_500


def test_the_css_is_inlined_and_only_dark_mode_stays_in_the_head() -> None:
    html = composed().html
    assert html is not None
    assert html.count("<style") == 2  # the Outlook comment and the dark block
    assert "data-css-inline" not in html
    assert "var(--" not in html
    assert "prefers-color-scheme:dark" in html
    assert "[data-ogsc]" in html
    assert html.count('class="cell" style="display: inline-block;width: 9.09%') == 11


def test_brand_colours_come_from_its_palette_and_only_colours_do() -> None:
    html = composed(palette={"accent": "#7b2d3b", "on": "red;}", "accent_dark": "#f0a3ae"}).html
    assert html is not None
    assert "background: #7b2d3b;color: #ffffff" in html
    assert ":root .mk{background:#f0a3ae!important;color:#04292b!important}" in html
    assert "red;}" not in html


def test_privacy_address_and_logo_appear_when_the_brand_gives_them() -> None:
    message = composed(privacy_url=f"{BASE}/privacy", logo=f"{BASE}/logo.png", postal_address="1 Runway Road, Paris")
    assert f"{BASE}/privacy" in read(message).links
    assert message.html is not None
    assert f'src="{BASE}/logo.png"' in message.html
    assert message.text.count("Oddjob Airways, 1 Runway Road, Paris") == 1
    bad = composed(privacy_url="javascript:alert(1)", logo="javascript:alert(1)")
    assert bad.html is not None
    assert "javascript" not in bad.html + bad.text


def test_the_same_rows_give_the_same_bytes() -> None:
    assert composed() == composed()


@pytest.mark.parametrize("value", HOSTILE)
def test_i78_hostile_values_are_inert(value: str) -> None:
    plain = read(composed(postal_address="x", about={"en": "y"}, name="z"))
    message = composed(name=value, about={"en": value}, postal_address=value)
    reader = read(message)
    assert message.html is not None
    assert reader.tags == plain.tags
    assert reader.links == plain.links
    assert not [name for name in reader.attributes if name.startswith("on")]
    for part in (message.html, message.text, message.subject or "", message.sender):
        assert not set(part) & set("\r\0\u202e\ud800")
        part.encode()
    assert "\n" not in (message.subject or "") + message.sender
    if value == "{{7*7}}":
        assert message.subject == "One question about {{7*7}}"
        assert "{{7*7}}" in message.text


@given(st.text(max_size=300))
@settings(max_examples=150, deadline=None)
def test_i78_no_value_reaches_a_header_or_breaks_the_document(value: str) -> None:
    plain = read(composed(name="z", about={"en": "y"}))
    message = composed(name=value or "z", about={"en": value or "y"})
    assert message.subject is not None
    for line in (message.subject, message.sender, *message.headers.values()):
        assert len(line.splitlines()) <= 1
        assert not any(ord(c) < 32 or c == "\x7f" for c in line)
    assert read(message).links == plain.links
    assert message.html is not None
    message.html.encode()


def test_a_text_message_asks_verbatim_says_how_links_and_offers_to_stop() -> None:
    message = composed(channel="sms")
    assert message.text == (
        "How likely is it that you would recommend Oddjob Airways to a friend or colleague? "
        f"Reply 0 (not at all likely) to 10 (extremely likely), or answer here: {SHORT} STOP to opt out"
    )
    assert (message.recipient, message.sender, message.subject, message.html) == (
        "+33612345678",
        "Oddjob Airways",
        None,
        None,
    )
    counted = count(message.text)
    assert (counted.encoding, counted.units, counted.parts) == ("GSM-7", 211, 2)


def test_a_text_message_of_an_invitation_without_a_short_link_carries_the_long_one() -> None:
    message, brand = make_message(channel="sms")
    assert message.invitation is not None
    message.invitation.short_slug = None
    assert f"or answer here: {ANSWER} STOP to opt out" in compose(message, SETTINGS, brand).text


@pytest.mark.parametrize(
    ("language", "counted"),
    [
        ("en", ("GSM-7", 211, 2)),
        ("de", ("GSM-7", 251, 2)),
        ("es", ("GSM-7", 210, 2)),
        ("nl", ("GSM-7", 233, 2)),
        ("fr", ("UCS-2", 224, 4)),  # one letter of the scale's own wording is in no GSM alphabet
        ("ar", ("UCS-2", 183, 3)),
    ],
)
def test_what_a_text_message_with_its_short_link_costs(language: str, counted: tuple[str, int, int]) -> None:
    text = composed(channel="sms", language=language).text
    assert f" {SHORT} " in text
    assert (count(text).encoding, count(text).units, count(text).parts) == counted


def test_a_text_message_names_the_brand_when_the_question_does_not() -> None:
    text = composed(channel="sms", metric="csat5", language="fr").text
    assert text.startswith("Oddjob Airways : Globalement, quel est")
    assert text.endswith("STOP pour refuser")
    assert count(text).encoding == "GSM-7"


def test_a_text_message_is_valid_until_it_expires_or_sooner() -> None:
    message, brand = make_message(channel="sms")
    message.expires_at = datetime(2026, 11, 9, tzinfo=UTC)
    sooner = datetime(2026, 11, 2, 19, tzinfo=UTC)
    assert compose(message, SETTINGS, brand).valid_until == message.expires_at
    assert compose(message, SETTINGS, brand, valid_until=sooner).valid_until == sooner


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: setattr(m, "invitation", None),
        lambda m: setattr(m.customer, "email", None),
        lambda m: setattr(m.customer, "email", "ada@example.org\r\nBcc: eve@example.org"),
        lambda m: setattr(m, "channel", "web"),
        lambda m: setattr(m, "kind", "follow_up"),
        lambda m: setattr(m.invitation.survey_version, "definition", {"metric": "unheard_of"}),
        lambda m: setattr(m.invitation.survey_version, "definition", {}),
    ],
    ids=["no invitation", "no address", "broken address", "web", "follow-up", "unknown metric", "no metric"],
)
def test_what_cannot_be_rendered_says_so(spoil: Any) -> None:
    message, brand = make_message()
    spoil(message)
    with pytest.raises(MessageNotRenderable) as refusal:
        compose(message, SETTINGS, brand)
    assert "eve@" not in str(refusal.value)


def test_every_language_has_the_same_texts_and_slots() -> None:
    def flat(texts: Any, path: str = "") -> dict[str, list[str]]:
        if isinstance(texts, dict):
            return {k: v for name, part in texts.items() for k, v in flat(part, f"{path}.{name}").items()}
        return {path: sorted({part.split("}")[0] for part in texts.split("{")[1:]})}

    english = flat(catalog.read_yaml("messages/en.yaml"))
    lists = {"promise.days", "promise.hours", "promise.times"}
    for language in ("fr", "de", "es", "nl", "ar"):
        other = flat(catalog.read_yaml(f"messages/{language}.yaml"))
        assert other.keys() == english.keys()
        for key in english:
            if not any(key.startswith(f".{name}") for name in lists):
                assert other[key] == english[key], (language, key)
