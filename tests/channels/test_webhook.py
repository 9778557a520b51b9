"""A webhook's call: what is sent, what each answer means, and that no address inside is ever called."""

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from surveyapp.channels import webhook
from surveyapp.channels.calls import Answer
from surveyapp.channels.webhook import Fate, Posted, Poster, Posting
from surveyapp.domain.webhooks import secret_of
from tests.receiver import Receiver, certificate

SECRET = secret_of(b"k" * 32)
OTHER = secret_of(b"o" * 32)
NOW = 1_793_600_000


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


def posting(url: str, secrets: tuple[str, ...] = (SECRET,)) -> Posting:
    return Posting("msg_1", url, b'{"type":"response.confirmed"}', secrets)


def test_a_message_is_sent_as_the_scheme_has_it(receiver: Receiver) -> None:
    assert Poster(loopback=True).post(posting(receiver.url + "?key=1", (SECRET, OTHER)), NOW) == Posted(Fate.TAKEN, 204)
    [got] = receiver.received
    assert (got.path, got.body) == ("/hook?key=1", b'{"type":"response.confirmed"}')
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["content-type"] == "application/json"
    assert (got.headers["webhook-id"], got.headers["webhook-timestamp"]) == ("msg_1", str(NOW))
    assert got.signed_by(SECRET)
    assert got.signed_by(OTHER)
    assert not got.signed_by(secret_of(b"x" * 32))


@pytest.mark.parametrize(
    ("status", "headers", "fate", "error", "wait"),
    [
        (200, {}, Fate.TAKEN, None, None),
        (302, {"Location": "http://127.0.0.1:1/"}, Fate.REFUSED, "answered 302: redirects are not followed", None),
        (400, {}, Fate.REFUSED, "answered 400", None),
        (404, {"Retry-After": "7"}, Fate.REFUSED, "answered 404", None),
        (410, {}, Fate.GONE, "answered 410: it is gone for good", None),
        (429, {"Retry-After": "7"}, Fate.LATER, "answered 429", 7.0),
        (500, {}, Fate.LATER, "answered 500", None),
        (503, {"Retry-After": "soon"}, Fate.LATER, "answered 503", None),
    ],
)
def test_every_answer_has_one_meaning_and_its_body_is_never_kept(
    receiver: Receiver, status: int, headers: dict[str, str], fate: Fate, error: str | None, wait: float | None
) -> None:
    receiver.answer(status, headers, b"what the body says" * 10_000)
    assert Poster(loopback=True).post(posting(receiver.url), NOW) == Posted(fate, status, error, wait)
    assert len(receiver.received) == 1


def test_a_receiver_that_hangs_up_or_is_away_is_tried_later(receiver: Receiver) -> None:
    receiver.answer(0)
    cut = Poster(loopback=True).post(posting(receiver.url), NOW)
    assert (cut.fate, cut.status, (cut.error or "")[:9]) == (Fate.LATER, None, "no answer")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        away = Poster(loopback=True).post(posting(f"http://127.0.0.1:{unused.getsockname()[1]}/"), NOW)
    assert (away.fate, (away.error or "")[:13]) == (Fate.LATER, "no connection")


def test_a_slow_answer_ends_with_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TOTAL", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        posted = Poster(loopback=True).post(posting(f"http://127.0.0.1:{silent.getsockname()[1]}/"), NOW)
        assert (posted.fate, time.monotonic() - began < 2) == (Fate.LATER, True)


def test_a_name_server_that_hangs_ends_with_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TOTAL", 0.1)

    def hang(host: str, port: int) -> list[str]:
        time.sleep(0.5)
        return []

    posted = Poster(resolve=hang).post(posting("https://example.org/"), NOW)
    assert posted == Posted(Fate.LATER, error="no connection (the name was not found in time)")


def test_a_name_that_nobody_knows_is_tried_later() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    posted = Poster(resolve=unknown).post(posting("https://example.org/"), NOW)
    assert posted == Posted(Fate.LATER, error="no connection (the name is not known)")


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["10.1.2.3"],
        ["100.64.0.1"],
        ["fd00::1"],
        ["93.184.216.34", "10.1.2.3"],
    ],
)
def test_a_name_that_leads_inside_is_refused_and_nobody_called(
    monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    monkeypatch.setattr(webhook, "post_at", lambda *_: pytest.fail("somebody was called"))
    posted = Poster(resolve=lambda host, port: found, own=lambda address: False).post(posting("https://a.org/"), NOW)
    assert (posted.fate, posted.status) == (Fate.REFUSED, None)
    assert (posted.error or "").startswith("not sent: the address leads to a")


def test_an_own_address_of_this_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "post_at", lambda *_: pytest.fail("somebody was called"))
    poster = Poster(resolve=lambda host, port: ["93.184.216.34"], own=lambda address: address == "93.184.216.34")
    assert poster.post(posting("https://a.org/"), NOW).error == "not sent: the address leads to this machine itself"
    assert webhook.is_own("127.0.0.1")


def test_the_number_that_was_judged_is_the_number_that_is_called(receiver: Receiver) -> None:
    """The name is asked for once: what it says a moment later (rebinding) cannot matter."""
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    url = f"http://localhost:{receiver.port}/hook"
    assert Poster(loopback=True, resolve=rebinding).post(posting(url), NOW).fate is Fate.TAKEN
    assert asked == ["localhost"]
    assert receiver.received[0].headers["host"] == f"localhost:{receiver.port}"


def test_a_name_of_the_internet_is_called_by_its_number_and_greeted_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called: list[tuple[object, ...]] = []

    def note(*given: object) -> Answer:
        called.append(given)
        return Answer(204, {}, b"")

    monkeypatch.setattr(webhook, "post_at", note)
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    poster = Poster(resolve=lambda host, port: next(answers), own=lambda address: False)
    assert poster.post(posting("https://a.org:8443/x"), NOW).fate is Fate.TAKEN
    [(address, port, path, headers, _, tls)] = called
    assert (address, port, path) == ("93.184.216.34", 8443, "/x")
    assert (headers["Host"], tls[1]) == ("a.org:8443", "a.org")  # type: ignore[index]
    assert poster.post(posting("https://a.org:8443/x"), NOW).fate is Fate.REFUSED
    assert len(called) == 1


def test_the_next_address_is_tried_where_the_first_takes_no_connection(receiver: Receiver) -> None:
    url = f"http://localhost:{receiver.port}/hook"
    poster = Poster(loopback=True, resolve=lambda host, port: ["::1", "127.0.0.1"])
    assert poster.post(posting(url), NOW).fate is Fate.TAKEN


def test_the_environments_proxy_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert Poster(loopback=True).post(posting(receiver.url), NOW).fate is Fate.TAKEN


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[ssl.SSLContext, str]]:
    folder: Path = tmp_path_factory.mktemp("certificates")
    return {name: certificate(folder, name) for name in ("localhost", "elsewhere.example")}


def test_over_tls_the_certificate_must_be_the_names(certificates: dict[str, tuple[ssl.SSLContext, str]]) -> None:
    for name, fate in (("localhost", Fate.TAKEN), ("elsewhere.example", Fate.LATER)):
        context, authority = certificates[name]
        receiver = Receiver(context)
        poster = Poster(loopback=True, resolve=lambda host, port: ["127.0.0.1"], authorities=authority)
        posted = poster.post(posting(receiver.url), NOW)
        assert (name, posted.fate, len(receiver.received)) == (name, fate, int(fate is Fate.TAKEN))
        stranger = Poster(loopback=True, resolve=lambda host, port: ["127.0.0.1"])
        assert stranger.post(posting(receiver.url), NOW).fate is Fate.LATER
        receiver.stop()


def test_what_is_secret_is_not_in_what_a_log_could_print() -> None:
    assert repr(posting("https://example.org/token")) == "Posting(uid='msg_1')"
