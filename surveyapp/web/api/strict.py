"""Strict JSON in: one meaning or a refusal with its position. Reads bytes; what the values mean is not decided here."""

import json
import math
import re
import zlib
from http import HTTPStatus
from typing import Any, NoReturn

from flask import Flask, Request, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import BadRequest, HTTPException, NotFound, RequestEntityTooLarge, UnsupportedMediaType

from surveyapp.web.problems import problem

KIB = 1024
DEPTH_LIMIT = 20
NAMES_LIMIT = 1_000
DIGITS_LIMIT = 300  # fits a float; a field's own reader refuses what is too large for it, so neighbours are kept
IMPORT_LIMIT = 8 * KIB * KIB
EVENTS_LIMIT = KIB * KIB
API_LIMIT = 256 * KIB
DRAIN_LIMIT = 4 * IMPORT_LIMIT
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})

_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_OPENING = ord("[")
_DEEPER = b"[" * (DEPTH_LIMIT + 1)
_SUSPICIOUS = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class BadJson(HTTPException):
    """400: the body is no JSON with one meaning. `position` is its line and column, where known."""

    code = HTTPStatus.BAD_REQUEST

    def __init__(self, detail: str, position: tuple[int, int] | None = None) -> None:
        self.position = position
        where = f"line {position[0]}, column {position[1]}" if position else None
        detail = f"{detail} ({where})." if where else f"{detail}."
        errors = [{"field": where or "body", "message": detail}]
        super().__init__(detail, problem(HTTPStatus.BAD_REQUEST, "Not readable as JSON", detail, errors))


class WrongFields(HTTPException):
    """422: readable, but fields are wrong; one sentence each, beginning with the field's name and a colon."""

    code = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, sentences: list[str]) -> None:
        errors = [{"field": s.partition(":")[0], "message": s} for s in sentences[:100]]
        title = "The request does not fit"
        super().__init__(sentences[0], problem(self.code, title, sentences[0], errors))


class StrictProvider(DefaultJSONProvider):
    """Flask's JSON with our way of reading, so that `request.get_json()` is strict wherever it is called."""

    sort_keys = False
    ensure_ascii = False
    compact = True

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return loads(s.encode() if isinstance(s, str) else s)


def install(app: Flask) -> None:
    """Read JSON strictly everywhere, with a limit and a content type for every unsafe call of the API."""
    app.json = StrictProvider(app)
    app.before_request(_guard_body)


def body() -> Any:
    """The JSON body of this request. Raises BadJson, or 413 and 415 as HTTP errors."""
    return loads(raw_body(request))


def raw_body(incoming: Request) -> bytes:
    """The bytes of the body, unpacked when they came as gzip; never more than this surface's limit."""
    limit = limit_for(incoming.path)
    data = incoming.get_data(cache=False)
    if len(data) > limit:  # only without a told length: the stream then ends quietly one byte after the limit
        raise _too_large(limit)
    encoding = (incoming.content_encoding or "identity").strip().lower()
    if encoding == "identity":
        return data
    if encoding != "gzip" or not _packed_allowed(incoming.path):
        raise UnsupportedMediaType(f"The content encoding '{encoding[:40]}' is not taken here.")
    return _unzip(data, limit)


def loads(data: bytes) -> Any:
    """The value of one JSON text in UTF-8.

    Refuses repeated names, NaN and infinities, nesting deeper than 20, objects with more than 1,000 names,
    halves of surrogate pairs and NUL, each with BadJson.
    """
    if not data.strip():
        raise BadJson("The body is empty; send a JSON object")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJson(
            "The body is not valid UTF-8", _position(data[: error.start].decode("utf-8"), error.start)
        ) from None
    _refuse_depth(data)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise BadJson(f"The body is no JSON: {error.msg}", (error.lineno, error.colno)) from None
    except (ValueError, RecursionError):
        raise BadJson("The body is no JSON") from None
    if _SUSPICIOUS.search(data):
        _refuse_odd_text(value)
    return value


def limit_for(path: str) -> int:
    """How many bytes a body may have at this address."""
    if path.endswith("/import") or path.endswith("/values"):
        return IMPORT_LIMIT
    return EVENTS_LIMIT if path == "/api/v1/events" or path.startswith("/v1/") else API_LIMIT


def _guard_body() -> None:
    if "\0" in request.path:
        raise NotFound()
    if b"%00" in request.query_string:
        raise BadRequest("An address holds no NUL character.")
    if not request.path.startswith(("/api/", "/v1/")) or request.method in SAFE:
        return
    limit = limit_for(request.path)
    if (length := request.content_length or 0) > limit:
        _drain(length)
        raise _too_large(limit)
    request.max_content_length = limit + 1
    if not (request.content_length or request.mimetype or request.headers.get("Transfer-Encoding")):
        return  # nothing was sent; where something is needed, reading it says so
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send JSON, with the content type application/json.")
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(f"Send JSON as UTF-8, not as {charset[:40]}.")


def _drain(length: int) -> None:
    """Read a body that is somewhat too long to its end: a sender cut off while sending never sees the answer."""
    stream = request.environ["wsgi.input"]
    left = length if length <= DRAIN_LIMIT else 0
    while left > 0 and (piece := stream.read(min(left, 64 * KIB))):
        left -= len(piece)


def _too_large(limit: int) -> RequestEntityTooLarge:
    return RequestEntityTooLarge(f"A body has at most {limit // KIB} KiB here.")


def _packed_allowed(path: str) -> bool:
    return path == "/api/v1/events" or path.startswith("/v1/")


def _unzip(data: bytes, limit: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(data, limit + 1)
    except zlib.error:
        raise BadRequest("The body says it is gzip but cannot be unpacked.") from None
    if len(plain) > limit:
        raise RequestEntityTooLarge(f"A body has at most {limit // KIB} KiB here, unpacked.")
    if not unpacker.eof or unpacker.unused_data:
        raise BadRequest("The body says it is gzip but ends early or goes on after its end.")
    return plain


def _refuse_depth(data: bytes) -> None:
    """Count the nesting before the parser sees it: pairs vanish level by level, in a fixed number of passes."""
    brackets = _without_strings(data).translate(_ONE_KIND, _NOT_BRACKETS)
    for _ in range(DEPTH_LIMIT):
        if _DEEPER in brackets:
            raise _too_deep()
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"")
    depth = 0
    for bracket in brackets:  # what is left is deeper than allowed, or does not match
        depth += 1 if bracket == _OPENING else -1
        if depth > DEPTH_LIMIT:
            raise _too_deep()
        if depth < 0:
            return


def _without_strings(data: bytes) -> bytes:
    """What stands outside of strings; one that is not closed reaches to the end. An expression takes far longer."""
    return b"".join(data.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])


def _too_deep() -> BadJson:
    return BadJson(f"The body is nested deeper than {DEPTH_LIMIT} levels")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(pairs) > NAMES_LIMIT:
        raise BadJson(f"An object has {len(pairs):,} names; at most {NAMES_LIMIT:,} are read")
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadJson(f"The name '{twice[:80]}' appears twice in one object")
    return value


def _real(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise BadJson(f"The number {text[:40]} is too large")
    return value


def _integer(text: str) -> int:
    if len(text) > DIGITS_LIMIT:
        raise BadJson(f"A number has more than {DIGITS_LIMIT} digits")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise BadJson(f"{text} is no JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_real, parse_int=_integer, parse_constant=_constant)


def _refuse_odd_text(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise BadJson("A text holds the NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadJson("A text holds half of a surrogate pair") from None
    elif isinstance(value, dict):
        for name, item in value.items():
            _refuse_odd_text(name)
            _refuse_odd_text(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_odd_text(item)


def _position(before: str, _: int) -> tuple[int, int]:
    return before.count("\n") + 1, len(before) - before.rfind("\n")
