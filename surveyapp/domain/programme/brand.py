"""Reads the brand, the dimensions of its promise and the reporting attributes from a programme file."""

import re
from functools import cache
from zoneinfo import available_timezones

from surveyapp.domain.programme.fields import Fields, Reading, one_line, shown
from surveyapp.domain.programme.specs import AttributeSpec, BrandSpec, DimensionSpec
from surveyapp.domain.programme.tree import Node, Scalar, Table

MOST_REPORTING_ATTRIBUTES = 8
BRAND_FIELDS = (
    "name", "language", "languages", "timezone", "colour", "logo", "privacy_url", "postal_address", "contact",
)  # fmt: skip
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_ADDRESS = re.compile(r"(https://|/(?!/))[^\s\"'<>\\]+")


@cache
def zones() -> frozenset[str]:
    return frozenset(available_timezones())


def read_brand(reading: Reading, node: Node) -> BrandSpec:
    """The brand; also tells `reading` the languages that texts may come in."""
    fields = Fields(reading, node, ("brand",), BRAND_FIELDS, "The brand")
    fields.missing("name")
    before = len(reading.problems)
    language = _language(reading, fields)
    languages = _languages(reading, fields, language)
    if len(reading.problems) == before:  # else every text would be refused for what is said once here
        reading.language, reading.languages = language, languages
    timezone = fields.text("timezone", 64)
    if timezone is not None and timezone not in zones():
        fields.refuse("timezone", f"There is no time zone {timezone!r}{reading.nearest(timezone, zones())}")
    return BrandSpec(
        name=fields.text("name") or "",
        language=language or "en",
        languages=languages or ("en",),
        timezone=timezone or "UTC",
        colour=_colour(fields),
        logo=_address(fields, "logo"),
        privacy_url=_address(fields, "privacy_url"),
        postal_address=fields.text("postal_address", 500),
        contact=fields.text("contact", 500),
    )


def _language(reading: Reading, fields: Fields) -> str | None:
    if not fields.usable or (fields.given("languages") and not fields.given("language")):
        if fields.usable:
            fields.missing("language")
        return None
    if not fields.given("language"):
        return "en"
    return _code(reading, fields.nodes["language"], "language", ("brand", "language"))


def _languages(reading: Reading, fields: Fields, own: str | None) -> tuple[str, ...]:
    if not fields.given("languages"):
        return (own,) if own else ()
    codes: list[str] = []
    for item, path in fields.items("languages", 50):
        code = _code(reading, item, "languages", path)
        if code in codes:
            reading.refuse(item, path, f"The language {code!r} is named twice.")
        elif code is not None:
            codes.append(code)
    if own and own not in codes:
        fields.refuse("language", f"The brand's own language {own!r} is missing from its languages.")
    return tuple(codes)


def _code(reading: Reading, node: Node, name: str, path: tuple[str | int, ...]) -> str | None:
    text = one_line(reading, node, path, name, 20)
    if text is not None and not _LANGUAGE.fullmatch(text):
        reading.refuse(node, path, f"A language is a code such as en, fr or fr-CA, not {shown(node)}.")
        return None
    if text is not None and reading.spoken and text.partition("-")[0] not in reading.spoken:
        reading.refuse(node, path, f"No standard questions exist in {text!r}, only in {', '.join(reading.spoken)}.")
    return text


def _colour(fields: Fields) -> str | None:
    node = fields.scalar("colour")
    if fields.given("colour") and (node is None or not _COLOUR.fullmatch(str(node.value))):
        fields.refuse("colour", 'A colour is written "#1a2b3c", with its quotes: a bare # starts a comment.')
        return None
    return str(node.value).lower() if node else None


def _address(fields: Fields, name: str) -> str | None:
    text = fields.text(name, 500)
    if text is not None and not _ADDRESS.fullmatch(text):
        fields.refuse(name, f"{name!r} is an address that starts with https:// or with / for a file of this site.")
        return None
    return text


def read_dimensions(reading: Reading, top: Fields) -> tuple[DimensionSpec, ...]:
    """The dimensions in file order; keys of dimensions, and of attributes across all of them, are unique."""
    seen: dict[str, int] = {}
    attributes: dict[str, int] = {}
    dimensions: list[DimensionSpec] = []
    for node, path in top.items("dimensions", 100):
        fields = Fields(reading, node, path, ("key", "promise", "attributes"), "A dimension")
        key = unique(reading, fields, "dimension", seen)
        fields.missing("promise")
        promise = fields.text("promise", 500)
        named: list[AttributeSpec] = []
        for item, where in fields.items("attributes", 100):
            attribute = Fields(reading, item, where, ("key", "name"), "An attribute")
            name = unique(reading, attribute, "attribute", attributes)
            attribute.missing("name")
            named.append(AttributeSpec(name or "", attribute.texts("name")))
        dimensions.append(DimensionSpec(key or "", promise or "", tuple(named)))
    return tuple(dimensions)


def read_reporting_attributes(reading: Reading, top: Fields) -> tuple[str, ...]:
    """Names of context attributes, at most eight, each once."""
    names: list[str] = []
    for node, path in top.items("reporting_attributes"):
        name = one_line(reading, node, path, "reporting_attributes", 80)
        if name is None:
            continue
        if "," in name:
            reading.refuse(node, path, f"A reporting attribute's name has no comma: {shown(node)}.")
        elif name in names:
            reading.refuse(node, path, f"The reporting attribute {name!r} is named twice.")
        else:
            names.append(name)
    if len(names) > MOST_REPORTING_ATTRIBUTES:
        sentence = f"At most {MOST_REPORTING_ATTRIBUTES} attributes can be reported on, not {len(names)}."
        top.refuse("reporting_attributes", sentence)
    return tuple(names)


def unique(reading: Reading, fields: Fields, what: str, seen: dict[str, int]) -> str | None:
    """The mapping's key, refused when another thing of its kind already has it."""
    key = fields.key()
    if key is None:
        return None
    node = fields.nodes["key"]
    if key in seen:
        fields.refuse("key", f"The {what} key {key!r} is used twice; the first is on line {seen[key]}.")
    else:
        seen[key] = node.line
    return key


def attribute_keys(node: Node) -> set[str]:
    """The attribute keys that the file's dimensions name, right or wrong."""
    found: set[str] = set()
    dimensions = node.get("dimensions") if isinstance(node, Table) else None
    for dimension in getattr(dimensions, "items", ()):
        listed = dimension.get("attributes") if isinstance(dimension, Table) else None
        for attribute in getattr(listed, "items", ()):
            key = attribute.get("key") if isinstance(attribute, Table) else None
            if isinstance(key, Scalar) and isinstance(key.value, str):
                found.add(key.value)
    return found
