"""Surveys of other tools: what we share is carried, all else is said in words, and no file does harm."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveyapp.domain.programme.survey_draft import read_draft
from surveyapp.domain.survey_editing import plain
from surveyapp.domain.survey_import import Carried, Unreadable, read_limesurvey, read_surveyjs

LSS = """<?xml version="1.0" encoding="UTF-8"?>
<document><LimeSurveyDocType>Survey</LimeSurveyDocType><DBVersion>623</DBVersion>
<groups><fields><fieldname>gid</fieldname></fields>
<rows><row><gid>1</gid><group_order>0</group_order></row></rows></groups>
<questions><rows>
<row><qid>10</qid><parent_qid>0</parent_qid><gid>1</gid>
<type>L</type><title>nps</title><question_order>0</question_order>
<relevance>1</relevance></row>
<row><qid>11</qid><parent_qid>0</parent_qid><gid>1</gid>
<type>M</type><title>why</title>
<other>Y</other><question_order>1</question_order>
<relevance>nps.NAOK &lt; 7</relevance></row>
<row><qid>12</qid><parent_qid>0</parent_qid><gid>1</gid>
<type>T</type><title>words</title><question_order>2</question_order></row>
<row><qid>13</qid><parent_qid>0</parent_qid><gid>1</gid>
<type>F</type><title>grid</title><question_order>3</question_order></row>
</rows></questions>
<subquestions><rows>
<row><qid>21</qid><parent_qid>11</parent_qid><title>SQ002</title><question_order>2</question_order></row>
<row><qid>20</qid><parent_qid>11</parent_qid><title>SQ001</title><question_order>1</question_order></row>
</rows></subquestions>
<answers><rows>ANSWERS</rows></answers>
<question_l10ns><rows>
<row><qid>10</qid><question><![CDATA[<p>Would you <b>recommend</b> us?</p>]]></question><language>en</language></row>
<row><qid>11</qid><question><![CDATA[What went wrong &amp; why?]]></question><language>en</language></row>
<row><qid>11</qid><question><![CDATA[Pourquoi&nbsp;?]]></question><language>fr</language></row>
<row><qid>20</qid><question>Slow</question><language>en</language></row>
<row><qid>21</qid><question>Rude</question><language>en</language></row>
<row><qid>13</qid><question>Rate these</question><language>en</language></row>
</rows></question_l10ns>
<surveys_languagesettings>
<rows><row><surveyls_language>en</surveyls_language>
<surveyls_title>Desk</surveyls_title></row></rows></surveys_languagesettings>
</document>""".replace(
    "ANSWERS",
    "".join(f"<row><qid>10</qid><aid>{n}</aid><code>{n}</code><sortorder>{n}</sortorder></row>" for n in range(11)),
)


def askable(carried: Carried, *languages: str) -> bool:
    spec, refusals = read_draft({"key": "k", **plain(carried.definition)}, languages[0], languages, "UTC")
    assert refusals == []
    return spec is not None


def test_a_limesurvey_survey_is_carried_and_the_rest_is_said() -> None:
    carried = read_limesurvey(LSS.encode(), ("en", "fr"))
    assert askable(carried, "en", "fr")
    assert carried.definition["metric"] == "nps"
    why, comment = carried.definition["follow_up"]
    assert why["ask"] == {"en": "What went wrong & why?", "fr": "Pourquoi ?"}
    assert [(o["key"], o["label"]["en"]) for o in why["options"]] == [("sq001", "Slow"), ("sq002", "Rude")]
    assert why["other"] is True
    assert comment["kind"] == "comment"
    assert why["when"] == {"score": {"to": 6}}
    assert carried.left == [
        "“Rate these”: a grid of questions cannot be asked here.",
    ]


BOMB = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><document>&b;</document>'


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (BOMB, "declares a document type"),
        ('<!DOCTYPE d SYSTEM "file:///etc/passwd"><document/>', "declares a document type"),
        ("<document><questions>", "not XML"),
        ("<document/>", "holds no LimeSurvey questions"),
        ("<document><LimeSurveyDocType>Group</LimeSurveyDocType></document>", "holds a LimeSurvey group"),
        ("<a>" * 60 + "</a>" * 60, "nested deeper"),
        ("<document><x>" + "y" * 200_000 + "</x></document>", "more than 100000 characters"),
        ('<?xml version="1.0" encoding="no-such"?><document/>', "not XML|letters"),
        ("<document><q>\ud800</q></document>", "not XML|letters"),
    ],
)
def test_what_is_no_survey_or_could_do_harm_is_refused_with_a_reason(content: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_limesurvey(content.encode("utf-8", "surrogatepass"), ("en",))


SURVEYJS: dict[str, Any] = {
    "title": {"default": "After the visit", "fr": "Après la visite"},
    "pages": [
        {"elements": [{"type": "rating", "name": "score", "title": "How satisfied?", "rateMin": 1, "rateMax": 5}]},
        {
            "elements": [
                {
                    "type": "panel",
                    "elements": [
                        {
                            "type": "checkbox", "name": "issue", "title": "What happened?", "visibleIf": "{score} <= 2",
                            "choices": ["Slow", {"value": "rude", "text": {"default": "Rude", "fr": "Impoli"}}],
                            "hasOther": True,
                        },
                        {"type": "comment", "name": "tell", "title": "Tell us"},
                        {"type": "comment", "name": "more", "title": "More?", "visibleIf": "{issue} anyof ['rude']"},
                        {"type": "text", "name": "age", "title": "How many?", "inputType": "number"},
                        {"type": "matrix", "name": "grid", "title": "Rate all"},
                        {"type": "boolean", "name": "again", "visibleIf": "{x} = 1 and {y} = 2"},
                    ],
                }
            ]
        },
    ],
}  # fmt: skip


def test_a_surveyjs_survey_is_carried_with_its_simple_conditions() -> None:
    carried = read_surveyjs(SURVEYJS, ("en", "fr"))
    assert askable(carried, "en", "fr")
    asked = {q["key"]: q for q in carried.definition["follow_up"]}
    assert list(asked) == ["issue", "comment", "more", "age", "again"]
    assert carried.definition["metric"] == "csat5"
    assert asked["issue"]["when"] == {"score": {"to": 2}}
    assert asked["issue"]["options"][1] == {"key": "rude", "label": {"en": "Rude", "fr": "Impoli"}}
    assert asked["more"]["when"] == {"issue": ["rude"]}
    assert [sentence.split(":")[0] for sentence in carried.left] == [
        "“Rate all”", "“again”", "What it is about was filled in from its title",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "when"),
    [
        ("{nps} > 6 and {nps} < 9", {"score": {"from": 7, "to": 8}}),
        ("{nps} >= 9 && {nps} <= 9", {"score": 9}),
        ("{nps} = 10", {"score": 10}),
        ("{where} = 'desk and phone'", {"where": ["desk_and_phone"]}),
        ("{nps} > 6 or {nps} < 3", None),
        ("{nps} < 11", None),
        ("{nps} > 10", None),
        ("{nps} > 6 and {where} = 'desk'", None),
        ("{where} > 3", None),
    ],
)
def test_a_surveyjs_condition_is_carried_where_ours_can_say_it(said: str, when: object) -> None:
    rating = {"type": "rating", "name": "nps", "title": "Would you recommend us?", "rateMin": 0, "rateMax": 10}
    where = {"type": "radiogroup", "name": "where", "choices": ["desk", "desk and phone"]}
    asked = {"type": "comment", "name": "why", "visibleIf": said}
    carried = read_surveyjs({"elements": [rating, where, asked]}, ("en",))
    assert askable(carried, "en")
    assert carried.definition["follow_up"][1].get("when") == when
    assert len(carried.left) == (when is None)


@pytest.mark.parametrize(
    ("formula", "when"),
    [
        ("((nps.NAOK &gt;= 7 and nps.NAOK &lt;= &quot;8&quot;))", {"score": {"from": 7, "to": 8}}),
        ("(nps.NAOK ge 9)", {"score": {"from": 9}}),
        ("count(nps.NAOK) &gt; 1", None),
        ("!is_empty(nps.NAOK)", None),
        ("nps.NAOK &lt; 3 or nps.NAOK &gt; 8", None),
    ],
)
def test_a_limesurvey_condition_is_carried_where_ours_can_say_it(formula: str, when: object) -> None:
    carried = read_limesurvey(LSS.replace("nps.NAOK &lt; 7", formula).encode(), ("en", "fr"))
    assert askable(carried, "en", "fr")
    assert carried.definition["follow_up"][0].get("when") == when
    assert any("was a formula" in sentence for sentence in carried.left) is (when is None)


def test_i80_more_than_a_survey_asks_is_left_out_and_named() -> None:
    elements = [{"type": "text", "name": f"q{n}", "title": "x" * 500} for n in range(10_000)]
    elements.append({"type": "dropdown", "name": "many", "choices": list("abcdefghijkl")})
    carried = read_surveyjs({"elements": elements}, ("en",))
    assert askable(carried, "en")
    assert len(carried.definition["follow_up"]) == 10
    assert any("a survey asks at most 10 further questions" in sentence for sentence in carried.left)
    assert any("shortened to 300" in sentence for sentence in carried.left)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "name",
                    "title",
                    "choices",
                    "value",
                    "text",
                    "elements",
                    "pages",
                    "visibleIf",
                    "rateMin",
                    "rateValues",
                ]
            ),
            inner
            | st.sampled_from(
                ["rating", "checkbox", "radiogroup", "text", "comment", "boolean", "{a} = 1", "{score} < 3"]
            ),
            max_size=6,
        )
    ),
    max_leaves=30,
)


def test_a_field_of_the_other_tool_is_taken_out_and_said() -> None:
    element = {"type": "text", "name": "q", "title": "How was {seat}?"}
    carried = read_surveyjs({"title": "{a} = 1", "pages": [{"elements": [element]}]}, ("en",))
    assert askable(carried, "en")
    assert carried.definition["about"] == {"en": "… = 1"}
    assert carried.definition["follow_up"][0]["ask"] == {"en": "How was …?"}
    sentence = "a field that the other tool fills in was taken out of its words."
    assert [one for one in carried.left if one.endswith(sentence)] == [f"“q”: {sentence}", f"“the survey”: {sentence}"]


@given(JSON)
def test_no_json_whatever_makes_it_fail(value: object) -> None:
    try:
        carried = read_surveyjs(value, ("en",))
    except Unreadable:
        return
    assert askable(carried, "en")
