"""A programme file is read strictly: every problem with its line, its column and a sentence."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surveyapp.services.programme_file import MOST_BYTES, ProgrammeRefused, check
from tests.services.programmes import PROGRAMME, changed


def problems(source: str | bytes) -> list[tuple[int, int, str]]:
    try:
        check(source)
    except ProgrammeRefused as refusal:
        return [(problem.line, problem.column, problem.sentence) for problem in refusal.problems]
    return []


METRICS = "The metrics are nps, tnps, csat5, csat7, ces1, ces2, enps, disconfirmation, pmf, intention."
DURATION = "a duration is a whole number and s, m, h or d, such as 15m, 1h or 7d, not"
CHOICES = "options: [{key: a, label: {en: A}}, {key: b, label: {en: B}}]"

REFUSALS = [
    # the file as a whole
    ("programme: 1\n", "", 1, 1, "A programme needs the field 'programme'."),
    ("programme: 1", "programme: 2", 1, 12, "'programme' is 1, not '2'."),
    ("programme: 1", 'programme: "1"', 1, 12, "'programme' is 1, not '1'."),
    ("programme: 1", "programme: 1\njourney: []", 2, 1, "A programme has no field 'journey'; did you mean 'journeys'?"),
    (
        "programme: 1",
        "programme: 1\nsteps: []",
        2,
        1,
        "A step belongs to a journey: write the steps under 'journeys', each in the journey it is part of.",
    ),
    # the brand
    ("name: Oddjob Airways, ", "", 2, 8, "The brand needs the field 'name'."),
    ("name: Oddjob Airways", "name: 7", 2, 15, "'name' is a text, not '7': quote it: \"7\"."),
    ("[en, fr]", "[fr]", 2, 41, "The brand's own language 'en' is missing from its languages."),
    ("[en, fr]", "[en, fr, fr]", 2, 65, "The language 'fr' is named twice."),
    ("[en, fr]", "[en, EN]", 2, 61, "A language is a code such as en, fr or fr-CA, not 'EN'."),
    ("[en, fr]", "[en, pt]", 2, 61, "No standard questions exist in 'pt', only in ar, de, en, es, fr, nl."),
    ("Paris", "Pariss", 2, 76, "There is no time zone 'Europe/Pariss'; did you mean 'Europe/Paris'?"),
    ("Paris}", "Paris, color: red}", 2, 90, "The brand has no field 'color'; did you mean 'colour'?"),
    (
        "Paris}",
        "Paris, colour: red}",
        2,
        98,
        'A colour is written "#1a2b3c", with its quotes: a bare # starts a comment.',
    ),
    (
        "Paris}",
        "Paris, logo: 'javascript:alert(1)'}",
        2,
        96,
        "'logo' is an address that starts with https:// or with / for a file of this site.",
    ),
    # reporting attributes and dimensions
    ("[class, customer_type]", "[class, class]", 3, 31, "The reporting attribute 'class' is named twice."),
    ("[class, customer_type]", "class", 3, 23, "'reporting_attributes' is a list, not 'class'."),
    (
        "[class, customer_type]",
        "[a, b, c, d, e, f, g, h, i]",
        3,
        23,
        "At most 8 attributes can be reported on, not 9.",
    ),
    ("{key: ease, ", "{key: all, ", 5, 11, "'all' is a reserved word; choose another 'key'."),
    ("{key: ease, ", "{", 5, 5, "A dimension needs the field 'key'."),
    (
        "{key: ease, ",
        "{key: é, ",
        5,
        11,
        "'key' consists of the letters a-z, digits, _ and -, and starts with a letter or digit, not 'é'.",
    ),
    # journeys and steps
    ("{en: Flight, fr: Vol}", "{fr: Vol}", 8, 11, "'name' lacks the brand's own language 'en'."),
    ("{en: Flight, fr: Vol}", "{en: F, de: F}", 8, 19, "'de' is none of the brand's languages (en, fr)."),
    (
        "{en: Flight, fr: Vol}",
        '"Fl\\night"',
        8,
        11,
        "'name' is one line, without line breaks or control characters.",
    ),
    *(
        (
            "{en: Flight, fr: Vol}",
            f"'Dear {merge}'",
            8,
            11,
            f"'name' holds '{merge}': no field is filled in here. Write the words out.",
        )
        for merge in ("{{first_name}}", "{{config|x}}", "{brand}", "${user.name}", "[%answer%]", "*|FNAME|*", "{% x %}")
    ),
    ("phase: before", "fase: before", 11, 67, "A step has no field 'fase'; did you mean 'phase'?"),
    ("key: baggage,", "key: check_in,", 13, 15, "The step key 'check_in' is used twice; the first is on line 11."),
    (
        "event: Baggage Delivered",
        "event: Checked In",
        13,
        52,
        "The event 'Checked In' already belongs to the step flight.check_in on line 11.",
    ),
    (
        "[quick_check_in], mom",
        "[quick_checkin], mom",
        12,
        23,
        "No dimension has an attribute 'quick_checkin'; did you mean 'quick_check_in'?",
    ),
    (
        "truth: false, tier: 2",
        "truth: true, tier: 2",
        12,
        69,
        "A moment of truth has tier 1, not 2: leave 'tier' out or 'moment_of_truth' false.",
    ),
    ("tier: 2", "tier: 4", 12, 70, "'tier' is a whole number from 1 to 3, not '4'."),
    ("tier: 2", "tier: true", 12, 70, "'tier' is a whole number from 1 to 3, not 'true'."),
    ("tier: 2", "sensitive: -1h", 12, 75, "'sensitive': a duration cannot be negative: '-1h'."),
    ("tier: 2", "sensitive: 0s", 12, 75, "'sensitive' is at least 1s, not '0s'."),
    # surveys
    ("csat5", "csat6", 16, 13, f"There is no metric 'csat6'; did you mean 'csat7'? {METRICS}"),
    ("csat5", "5", 16, 13, f"There is no metric '5'. {METRICS}"),
    (
        '    about: {en: check-in, fr: "l\'enregistrement"}\n',
        "",
        15,
        5,
        "A csat5 survey needs 'about': its question names what was experienced.",
    ),
    (
        "up: comment",
        "up: remark",
        18,
        16,
        "'follow_up' is comment or a list of further questions, not 'remark'.",
    ),
    ("follow_up: comment", "quota: 0", 18, 12, "'quota' is a whole number from 1 to 1000000000, not '0'."),
    ("follow_up: comment", "public: Ü", 18, 13, "'public' is a slug of small letters, digits, - and _, not 'Ü'."),
    (
        "follow_up: comment",
        "closes: tomorrow",
        18,
        13,
        "'closes' is a date such as \"2027-03-31\" or a time such as \"2027-03-31T18:00+01:00\", not 'tomorrow'.",
    ),
    (
        "relational_nps,",
        "check_in_csat,",
        19,
        11,
        "The survey key 'check_in_csat' is used twice; the first is on line 15.",
    ),
    # further questions
    (
        "up: comment",
        "up: [{key: why, kind: sometimes, ask: {en: Why?}}]",
        18,
        28,
        "In a question, kind: must be one of comment, one, many, reasons, emotion, number, date, text, long, consent.",
    ),
    (
        "up: comment",
        f"up: [{{key: why, kind: one, ask: {{en: Why?}}, {CHOICES}, when: {{score: {{from: 1, to: 9}}}}}}]",
        18,
        147,
        "A csat5 score is a whole number from 1 to 5, not '9'.",
    ),
    (
        "up: comment",
        f"up: [{{key: why, kind: one, ask: {{en: Why?}}, {CHOICES}, when: {{score: {{from: 4, to: 2}}}}}}]",
        18,
        133,
        "No score is at least 4 and at most 2.",
    ),
    (
        "up: comment",
        f"up: [{{key: why, kind: one, ask: {{en: Why?}}, {CHOICES}}},"
        " {key: more, kind: text, ask: {en: More?}, when: {why: c}}]",
        18,
        174,
        "The question 'why' has no choice 'c'.",
    ),
    # triggers
    (
        "step: flight.check_in",
        "step: flight.chek_in",
        22,
        11,
        "There is no step 'flight.chek_in'; did you mean 'flight.check_in'?",
    ),
    (
        "step: flight.check_in",
        "step: check_in",
        22,
        11,
        "A step is written with its journey, such as 'flight.check_in', not 'check_in'.",
    ),
    ("step: flight.", "step: train.", 22, 11, "There is no journey 'train'; did you mean 'flight.check_in'?"),
    (
        "    step: flight.check_in\n",
        "",
        21,
        5,
        "A trigger needs a step or, for a recurring survey, 'every'.",
    ),
    (
        "step: flight.check_in",
        "step: flight.check_in\n    every: 90d",
        22,
        11,
        "A trigger has a step or, for a recurring survey, 'every'; this one has both.",
    ),
    (
        "survey: check_in_csat",
        "survey: check_in_cast",
        23,
        13,
        "There is no survey 'check_in_cast'; did you mean 'check_in_csat'?",
    ),
    ("[email, sms]", "[email, fax]", 24, 23, "A channel is one of email, sms, web, not 'fax'."),
    ("[email, sms]", "[]", 24, 15, "A trigger needs at least one channel of email, sms, web."),
    ("[email, sms]", "[sms, sms]", 24, 21, "The channel 'sms' is named twice."),
    ("[email, sms]", "email", 24, 15, "'channels' is a list, not 'email'."),
    ("delay: 0s", "delay: soon", 25, 12, f"'delay': {DURATION} 'soon'."),
    (
        "delay: 0s",
        "delay: 60",
        25,
        12,
        "'delay': a duration is a text such as 15m, 1h or 7d, not the bare number 60: add s, m, h or d.",
    ),
    (
        "delay: 0s",
        "delay: 8d",
        26,
        14,
        "'expires' (7d) is shorter than 'delay' (8d): both run from the event, so nobody could ever be asked.",
    ),
    ("sample: 1.0", "sample: 0", 27, 13, "'sample' is a number above 0 and at most 1, not '0'."),
    ("sample: 1.0", "sample: 1.5", 27, 13, "'sample' is a number above 0 and at most 1, not '1.5'."),
    (
        "sample: 1.0",
        "sample: half",
        27,
        13,
        "'sample' is a share above 0 and at most 1, or {target_half_width, per}, not 'half'.",
    ),
    ("sample: 1.0", "sample: {target_half_width: 5}", 27, 13, "A sample target needs the field 'per'."),
    (
        "sample: 1.0",
        "sample: {target_half_width: 5, per: 28d}\n    per: 90d",
        28,
        10,
        "A sample target has its own 'per'; leave out the trigger's.",
    ),
    (
        "where: {class: Business}",
        "where: [Business]",
        28,
        12,
        "'where' maps names of attributes or properties to values, not a list.",
    ),
    (
        "where: {class: Business}",
        "where: {class: [Business]}",
        28,
        20,
        "'class' is a text, a number or true/false, not a list.",
    ),
    (
        "where: {class: Business}",
        "where: {class: }",
        28,
        20,
        "'class' is a text, a number or true/false, not nothing.",
    ),
    (
        "reminder: {after: 3d}",
        "reminder: [{after: 3d}, {after: 5d}]",
        29,
        15,
        "There is at most one reminder, written {after: 3d}, not a list.",
    ),
    ("reminder: {after: 3d}", "reminder: {}", 29, 15, "A reminder needs the field 'after'."),
    (
        "blocked: drop",
        "blocked: dorp",
        30,
        14,
        "'blocked' is one of drop, wait, next_channel, not 'dorp'; did you mean 'drop'?",
    ),
    (
        "blocked: drop",
        "reserve: 1d",
        30,
        14,
        "'reserve' holds a slot for a recurring survey; this trigger has no 'every'.",
    ),
    (
        "blocked: drop",
        "web_for: 1h",
        30,
        14,
        "'web_for' is how long other channels wait for the web; the channels name no web.",
    ),
    ("every: 180d", "every: 1h", 32, 12, "'every' is at least 1d, not '1h'."),
    ("reserve: 14d", "reserve: 200d", 35, 14, "'reserve' (200d) must be shorter than 'every' (180d)."),
    # the policy
    ("1: 7d,", "4: 7d,", 37, 9, "policy.gap.4: there are tiers 1, 2 and 3, not '4'."),
    ("holding: 0s", "holding: 30d", 40, 3, "policy.holding: a due ask waits at most 7d for a better one."),
    (
        "survey: relational_nps, gap",
        "survey: relational_nsp, gap",
        42,
        35,
        "There is no survey 'relational_nsp'; did you mean 'relational_nps'?",
    ),
    # YAML that means something else than it says
    ("event: Baggage Delivered", "event: a\n        b: c", 14, 10, None),
    ('"20:00"', "20:00", 39, 23, 'Without quotes, 20:00 is a number in YAML; quote it: "20:00".'),
    (
        "follow_up: comment",
        "closes: 2027-01-01",
        18,
        13,
        'Without quotes, 2027-01-01 is a date in YAML; quote it: "2027-01-01".',
    ),
    (
        "{class: Business}",
        "{country: NO}",
        28,
        22,
        'Without quotes, NO is false in YAML; quote it: "NO", or write false.',
    ),
    ("{class: Business}", "{code: 007}", 28, 19, 'Without quotes, 007 is a number in YAML; quote it: "007".'),
    ("{class: Business}", "{share: .inf}", 28, 20, ".inf is no number that can be used."),
    (
        "    delay: 0s",
        "    delay: 0s\n    delay: 1s",
        26,
        5,
        "The key 'delay' comes twice; the first is on line 25.",
    ),
    ("{class: Business}", "{[a]: b}", 28, 13, "A key is a word, not a list or a mapping."),
    ("{class: Business}", "!!python/object:x {a: b}", 28, 12, None),
    ("{class: Business}", "{<<: {a: b}}", 28, 13, "Merge keys (<<) are not supported: write the fields out."),
    ("{class: Business}", "*nobody", 28, 12, "There is no anchor 'nobody' before this alias."),
    ("{class: Business}", '{class: "a\\0b"}', 28, 20, "The text has a character that no text has: U+0000."),
]


def test_the_programme_of_the_contract_has_no_problem() -> None:
    assert problems(PROGRAMME) == []


@pytest.mark.parametrize(("old", "new", "line", "column", "sentence"), REFUSALS)
def test_each_mistake_is_named_with_its_line(old: str, new: str, line: int, column: int, sentence: str | None) -> None:
    first, *_ = problems(changed((old, new)))
    assert first[:2] == (line, column)
    if sentence is not None:
        assert first[2] == sentence


def test_a_trigger_may_not_contradict_a_moment_of_truth() -> None:
    source = changed(("step: flight.check_in", "step: flight.baggage"), ("blocked: drop", "tier: 2"))
    assert problems(source) == [(30, 11, "flight.baggage is a moment of truth and has tier 1, not 2.")]


def test_all_problems_are_told_at_once_and_in_file_order() -> None:
    source = changed(("csat5", "csat6"), ("tier: 2", "tier: 9"), ("blocked: drop", "blocked: never"))
    assert [(line, column) for line, column, _ in problems(source)] == [(12, 70), (16, 13), (30, 14)]


def test_a_policy_of_thousands_of_rules_is_refused_and_not_compared() -> None:
    rules = ", ".join(["{max: 2, per: 30d}"] * 15_000)
    found = problems(changed(("{max: 2, per: 30d}, {max: 1, per: journey}", rules)))
    assert found == [(38, 3, "policy.caps: has at most 300 rules, not 15000.")]


def test_a_policy_key_is_refused_where_it_stands() -> None:
    found = problems(changed(("max: 2,", "mx: 2,")))
    assert found[0] == (38, 10, "policy.caps[0]: 'max' is missing.")
    assert found[1][:2] == (38, 11)
    assert found[1][2].startswith("policy.caps[0].mx: unknown key 'mx'")


@pytest.mark.parametrize(
    ("source", "line", "column", "sentence"),
    [
        ("", 1, 1, "The file is empty."),
        ("# nothing\n", 1, 1, "The file is empty."),
        ("7", 1, 1, "A programme file is a mapping that starts with 'programme: 1', not '7'."),
        ("[]", 1, 1, "A programme file is a mapping that starts with 'programme: 1', not a list."),
        ("a: 1\n---\nb: 2\n", 2, 1, "The file has a second document (---); a programme is one document."),
        (b"a: 1\nb: caf\xe9\n", 2, 7, "The file is not UTF-8 text: byte 0xe9."),
        ("a: 1\nb: x\x00y\n", 2, 5, "The file has a character that no text has: U+0000."),
        ("a: \ud800\n", 1, 4, "The file is not UTF-8 text: byte 0xed."),
        ("x" * (MOST_BYTES + 1), 1, 1, "The file has 1048577 bytes; at most 1048576 (1 MiB) are read."),
        ("é" * MOST_BYTES, 1, 1, "The file has 2097152 bytes; at most 1048576 (1 MiB) are read."),
        ("[" * 1_000_000, 1, 31, "The file is nested more than 30 levels deep."),
        ("{a: " * 200_000, 1, 118, "The file is nested more than 30 levels deep."),
        ("&a [*a]", 1, 5, "There is no anchor 'a' before this alias."),
    ],
)
def test_what_is_no_programme_at_all_is_refused(source: str | bytes, line: int, column: int, sentence: str) -> None:
    assert problems(source)[0] == (line, column, sentence)


def test_broken_yaml_is_refused_where_it_breaks() -> None:
    ((line, _, sentence),) = problems("programme: 1\nbrand: {name: x\njourneys: []\n")
    assert line == 3
    assert sentence.startswith("This is not YAML: ")


def test_a_few_aliases_cannot_become_millions_of_values() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    ((line, _, sentence),) = problems("\n".join(lines))
    assert line == 5
    assert sentence == "The file has more than 100000 values, its aliases counted."


def test_a_chain_of_anchors_counts_as_depth() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 100))]
    assert problems("\n".join(lines)) == [(29, 12, "The file is nested more than 30 levels deep.")]


def test_an_alias_is_read_as_what_it_stands_for() -> None:
    source = changed(
        ("about: {en: check-in", "about: &words {en: check-in"), ("nps, group", "csat5, about: *words, group")
    )
    programme = check(source)
    assert programme.surveys[1].about == {"en": "check-in", "fr": "l'enregistrement"}


def test_a_bare_text_is_in_the_brands_own_language() -> None:
    assert check(changed(("{en: Flight, fr: Vol}", "Flight"))).journeys[0].name == {"en": "Flight"}


def test_a_moment_of_truth_has_tier_1_without_saying_so() -> None:
    assert check(PROGRAMME).steps()["flight.baggage"].tier == 1


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_reads_the_same() -> None:
    assert check(b"\xef\xbb\xbf" + PROGRAMME.replace("\n", "\r\n").encode()) == check(PROGRAMME)


def test_problems_are_printable_and_short() -> None:
    source = changed(
        ("class: Business", f"class: Business, 'a\\u2028{'x' * 3000}': []"), ("rules: [", "rules: ['\\e[31m', ")
    )
    for _, _, sentence in problems(source):
        assert len(sentence) <= 400
        assert sentence.isprintable()


PIECES = st.sampled_from(
    [
        "[",
        "]",
        "{",
        "}",
        ":",
        "- ",
        "\n",
        "  ",
        "null",
        "true",
        "no",
        "7d",
        '"',
        "'",
        "&a ",
        "*a",
        "!!x ",
        "<<: ",
        "#",
        "1",
    ]
    + [
        "9" * 30,
        "1e9",
        "\x00",
        "\t",
        "é",
        "\ud800",
        "?",
        "|",
        ">",
        "%",
        "---\n",
        "2026-01-01",
        "20:00",
        "{a: b}",
        "[[x]]",
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, len(PROGRAMME)), st.integers(0, 40), PIECES), min_size=1, max_size=4))
def test_a_damaged_programme_is_refused_and_never_fails(damages: list[tuple[int, int, str]]) -> None:
    source = PROGRAMME
    for place, length, piece in damages:
        source = source[:place] + piece + source[place + length :]
    problems(source)


VALUES = [match.span() for match in re.finditer(r"(?<=: )[^,\n{}\[\]]+|\{[^{}]*\}|\[[^\[\]]*\]", PROGRAMME)]
STRANGE = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.sampled_from(["7d", "en"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["key", "en", "kind", "score", "from", "per", "max", "1"]), inner, max_size=3),
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(VALUES), STRANGE)
def test_a_value_of_any_other_shape_is_refused_and_never_fails(span: tuple[int, int], value: object) -> None:
    written = repr(value).replace("None", "null").replace("True", "true").replace("False", "false")
    problems(PROGRAMME[: span[0]] + written + PROGRAMME[span[1] :])


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.binary()))
def test_any_text_and_any_bytes_are_refused_and_never_fail(source: str | bytes) -> None:
    assert problems(source) != []
