"""What every page that customers meet shares: its frame, its words, its links, its headers. No cookie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import current_app, make_response, render_template, request, url_for
from markupsafe import Markup, escape
from werkzeug.wrappers import Response

from surveyapp.domain import tokens
from surveyapp.domain.questions import NOT_APPLICABLE
from surveyapp.domain.scores import METRICS
from surveyapp.domain.wording import fill, in_language, read_in
from surveyapp.extensions import db
from surveyapp.queries import respond
from surveyapp.queries.respond import BrandFacts
from surveyapp.queries.words import Words, words
from surveyapp.web.respond import script
from surveyapp.web.respond.style import colours, content_security_policy, icon, style

BODY_LIMIT = 64 * 1024
WORDED = frozenset({"disconfirmation", "pmf"})  # their numbers are ours, not the reader's


@dataclass(frozen=True)
class Link:
    href: str
    text: str


@dataclass(frozen=True)
class Choice:
    """One value of a scale. `digit` is what stands before its label, where a number means something to a reader."""

    value: int | str
    label: str
    digit: str = ""


@dataclass(frozen=True)
class Scale:
    """A metric's scale as it is laid out: 0 to 10 as a bar, labelled scales with the highest on top."""

    horizontal: bool
    choices: Sequence[Choice]

    def name(self, value: int | str | None) -> str:
        """What a chosen value is called on the page: its digit on the bar, its label in a list."""
        label = next((c.label for c in self.choices if c.value == value), "")
        return str(value) if self.horizontal else label


@dataclass(frozen=True)
class Frame:
    """One page's brand, language and addresses. `token` is what the page was opened with, where it was good."""

    brand: BrandFacts
    words: Words
    token: str | None = None
    uid: str | None = None
    anonymous: bool = False
    keeps_language: bool = False

    def address(self, endpoint: str, **values: object) -> str:
        """The address of another page, in the language that was chosen."""
        if self.keeps_language:
            values["lang"] = self.words.language
        return url_for(endpoint, **values)

    def link_to(self, endpoint: str, purpose: str) -> str:
        """The address of a page of another purpose for the same person."""
        assert self.uid
        return self.address(endpoint, token=tokens.mint(purpose, self.uid, keys()))

    def say(self, key: str, **values: object) -> Markup:
        """A text for the page, its values escaped; inside right-to-left words each keeps its own direction."""
        return self._filled(self.words.text(key), values)

    def question(self, metric: str, about: Mapping[str, str]) -> Markup:
        """The locked question, filled in."""
        return self._filled(self.words.ask(metric), {"s": self.own(about)})

    def own(self, texts: Mapping[str, str]) -> Markup:
        """A survey's own text. Where it lacks the page's language it is shown in another, which is marked and runs its
        own way."""
        text = in_language(texts, self.words.language, self.brand.language)
        found = read_in(texts, self.words.language, self.brand.language)
        return escape(text) if found == self.words.language else Markup('<bdi lang="{}">{}</bdi>').format(found, text)

    def _filled(self, text: str, values: Mapping[str, object]) -> Markup:
        isolated = Markup("<bdi>{}</bdi>") if self.words.direction == "rtl" else Markup("{}")
        safe = {
            key: value if isinstance(value, Markup) else isolated.format(value)
            for key, value in {"b": self.brand.name, **values}.items()
        }
        return Markup(fill(str(escape(text)), safe))  # noqa: S704 - every part is escaped

    def scale(self, metric: str) -> Scale:
        labels, definition = self.words.labels(metric), METRICS[metric]
        horizontal = definition.layout == "horizontal"
        order = definition.scale if horizontal else reversed(definition.scale)
        digits = horizontal or metric not in WORDED
        choices = [Choice(value, labels.get(value, ""), str(value) if digits else "") for value in order]
        if definition.not_applicable:
            choices.append(Choice(NOT_APPLICABLE, self.words.texts["standard"]["not_applicable"]["ask"]))
        return Scale(horizontal, choices)


def keys() -> list[str]:
    """The secrets that links may be signed with, the newest first."""
    return [current_app.config["SECRET_KEY"], *current_app.config["SECRET_KEY_FALLBACKS"]]


def frame(
    brand: BrandFacts,
    *preferred: str | None,
    token: str | None = None,
    uid: str | None = None,
    anonymous: bool = False,
) -> Frame:
    """The frame in the language asked for by `?lang=`, else the first that the brand offers of the preferred ones and
    the browser's."""
    usual = brand.words(*preferred, *request.accept_languages.values())
    chosen = brand.words(request.args.get("lang"), usual.language)
    return Frame(brand, chosen, token, uid, anonymous, keeps_language=anonymous or chosen.language != usual.language)


def show(
    page: Frame, template: str, parts: tuple[str, ...], status: int = 200, *, scripted: bool = False, **values: object
) -> Response:
    """The page, with the headers that keep it private and harmless; `scripted` adds the one script."""
    eight = colours(page.brand.colours)
    css = style(parts, eight)
    html = render_template(
        f"respond/{template}.html",
        words=page.words,
        brand=page.brand,
        say=page.say,
        plain=page.words.say,
        plain_short=lambda key: page.words.texts["short"][key],
        style=Markup(css),  # noqa: S704 - our own files and checked colours
        icon=icon(page.brand.name[:1].upper(), eight["accent"], eight["on"]),
        switch=_other_languages(page),
        script=url_for("respond.script_file", digest=script.digest()) if scripted else None,
        **{"who": False, "several": False, "links": footer(page), **values},
    )
    response = make_response(html, status)
    response.headers["Content-Security-Policy"] = content_security_policy(css, scripted=scripted)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    response.headers["Content-Language"] = page.words.language
    return response


def ended(page: Frame, status: int, heading: str, *lines: object, **values: object) -> Response:
    """A page that ends something: a heading and a few sentences."""
    return show(page, "end", ("end",), status, heading=page.say(heading), lines=lines, **values)


def unknown() -> Response:
    """The calm page of a link that was altered, cut or never ours (404). Says nothing about what exists."""
    page = frame(respond.brand_facts(db.session))
    return ended(page, 404, "page.unknown", page.say("page.unknown_more"))


def footer(page: Frame, *, ways_out: bool = False) -> list[Link]:
    """The links at the foot: out of it and preferences where there is somebody to be asked, and privacy."""
    links = []
    if ways_out and page.uid and not page.anonymous:
        links.append(Link(page.link_to("preferences.opt_out_page", "opt_out"), page.words.texts["short"]["opt_out"]))
        links.append(
            Link(page.link_to("preferences.preferences_page", "preferences"), page.words.say("page.preferences"))
        )
    if privacy := web_address(page.brand.privacy_url):
        links.append(Link(privacy, page.words.say("page.privacy")))
    return links


def web_address(url: str | None) -> str | None:
    """A link of the brand's that a page may carry, or None for anything that is not one."""
    return url if url and url.startswith(("https://", "http://")) else None


def contact_address(contact: str | None) -> str | None:
    """Where to write to the brand: a page or an e-mail address."""
    if contact and "@" in contact and not contact.startswith(("http", "mailto:")) and " " not in contact:
        return f"mailto:{contact}"
    return web_address(contact)


@dataclass(frozen=True)
class Other:
    language: str
    name: str
    href: str


def _other_languages(page: Frame) -> list[Other]:
    if request.method != "GET" or not page.token:
        return []
    kept = [(k, v) for k, v in request.args.items() if k == "score"]
    return [
        Other(code, words(code).name, f"{request.path}?{urlencode([*kept, ('lang', code)])}")
        for code in page.brand.offered
        if code != page.words.language
    ]
