"""What a text reply says: scores as people write them, opting out before all, nothing guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveyapp.domain import reply_words
from surveyapp.domain.replies import Reply, ReplyKind, fold, read_choices, read_order, read_reply
from surveyapp.domain.segments import LONGEST

ALL = ("en", "fr", "de", "es", "nl", "ar")


def nps(text: str, *languages: str) -> Reply:
    return read_reply(text, 0, 10, languages or ALL)


@pytest.mark.parametrize(
    ("text", "score"),
    [
        *[(str(n), n) for n in range(11)],
        *[("9", 9), (" 9 ", 9), ("9!", 9), ("9.", 9), ("(9)", 9), ("#9", 9), ("09", 9), ("9,0", 9), ("note : 9", 9)],
        *[("9/10", 9), ("9 / 10", 9), ("10/10", 10), ("9 out of 10", 9), ("nine out of ten", 9), ("9 sur 10", 9)],
        *[("Neuf sur dix", 9), ("9 von 10", 9), ("9 de 10", 9), ("9 van de 10", 9), ("٩ من ١٠", 9), ("un sur dix", 1)],
        *[("９", 9), ("９／１０", 9), ("１０", 10), ("٩", 9), ("۹", 9), ("9️⃣", 9), ("🔟", 10), ("⑨", 9), ("9 🙂", 9)],
        *[("nine", 9), ("NINE", 9), ("Nine.", 9), ("neuf", 9), ("neun", 9), ("nueve", 9), ("negen", 9), ("تسعة", 9)],
        *[("fünf", 5), ("fuenf", 5), ("één", 1), ("quatre", 4), ("zwei", 2), ("acht", 8), ("أربعة", 4), ("اربعة", 4)],
        *[("zero", 0), ("zéro", 0), ("zéro, nul", 0), ("null", 0), ("صفر", 0), ("one", 1), ("Un !", 1)],
        *[("9 super service", 9), (" 9 – super", 9), ("9ok", 9), ("I say 9, thank you", 9), ("très bien, 9", 9)],
        *[("9 outta 10", 9), ("let me be honest, 4", 4), ("ask me again next time, 9", 9), ("8 minus the queue", 8)],
        *[("2, je ne veux plus voler avec vous", 2), ("they wanted to take me off the plane, 1", 1)],
        *[("cessez de perdre les bagages, 2", 2), ("دعني أقول 3", 3)],
        *[("9 nine", 9), ("flight AF123 was a 9", 9), ("0 problem at all", 0), ("non-stop 9", 9)],
        *[("à l'arrêt pendant une heure, 3", 3), ("please cancel my other booking, 9", 9)],
    ],
)
def test_one_number_on_the_scale_is_the_score_however_it_is_written(text: str, score: int) -> None:
    reply = nps(text)
    assert (reply.kind, reply.score) == (ReplyKind.SCORE, score)


@pytest.mark.parametrize(
    "text",
    ["8 9", "8 or 9", "8-9", "9, no 8", "1 0", "7/5", "8/8", "9h30 and 8", "two or three"]
    + ["9½", "9 1/2", "9 and a half", "neuf et demi", "9 waited 20 minutes"],
)
def test_more_than_one_number_is_none(text: str) -> None:
    assert nps(text) == Reply(ReplyKind.SEVERAL)


@pytest.mark.parametrize(
    "text",
    [
        "11",
        "100",
        "-1",
        "9.5",
        "9,5",
        "90%",
        "9 %",
        "eleven",
        "onze",
        "zwölf",
        "hundred",
        "10:30",
        "9h30",
        "9 am",
        "I waited 2 hours",
        "J'ai attendu 2 heures",
        "20 min",
        "99999999999",
    ],
)
def test_a_number_off_the_scale_is_none(text: str) -> None:
    assert nps(text) == Reply(ReplyKind.OFF_SCALE)


@pytest.mark.parametrize(
    "text", ["great", "AF123", "one of the best", "no one came", "une catastrophe", "zéro souci", "ST0P", "Ⅸ ans"]
)
def test_words_without_a_number_are_words(text: str) -> None:
    assert nps(text) == Reply(ReplyKind.WORDS)


@pytest.mark.parametrize("text", ["", " ", "\n", "🙂", "...", "\u200b"])
def test_nothing_said_is_nothing(text: str) -> None:
    assert nps(text) == Reply(ReplyKind.EMPTY)


@pytest.mark.parametrize(
    ("text", "low", "high", "score"),
    [("-2", -2, 2, -2), ("−1", -2, 2, -1), ("+1", -2, 2, 1), ("minus two", -2, 2, -2), ("moins un", -2, 2, -1)]
    + [("7/7", 1, 7, 7), ("4/5", 1, 5, 4), ("5 of 5", 1, 5, 5), ("3", 1, 3, 3)],
)
def test_every_scale_is_read_by_its_own_ends(text: str, low: int, high: int, score: int) -> None:
    assert read_reply(text, low, high, ALL) == Reply(ReplyKind.SCORE, score, alone=True)


@pytest.mark.parametrize(
    ("text", "low", "high"), [("0", 1, 5), ("6", 1, 5), ("-3", -2, 2), ("4/10", 1, 5), ("5 sur 5", 1, 7)]
)
def test_another_scales_number_is_none(text: str, low: int, high: int) -> None:
    assert read_reply(text, low, high, ALL).score is None


def test_a_score_says_whether_words_came_with_it() -> None:
    assert [nps(t).alone for t in ("9", "9/10", "nine out of ten", "9 super", "9 🙂")] == [
        True,
        True,
        True,
        False,
        True,
    ]


def test_number_words_are_read_in_the_brands_languages_only_the_customers_first() -> None:
    assert nps("neuf", "en") == Reply(ReplyKind.WORDS)
    assert nps("neuf", "en", "fr").score == 9
    assert nps("once", "en", "fr").kind is ReplyKind.WORDS  # eleven in Spanish
    assert nps("tres bien 9", "fr", "es").score == 9  # three in Spanish
    assert nps("très bien", "fr", "es").kind is ReplyKind.WORDS
    assert nps("nine", "en-GB").score == 9


@pytest.mark.parametrize(
    "text",
    [
        *["STOP", "Stop.", " stop please", "Stop!", "ARRÊT", "arret", "Arrêt.", "STOP 9", "9 stop", "non merci stop"],
        *["ＳＴＯＰ", "s t o p", "S.T.O.P.", "stop9", "9STOP", "«stop»", "stop 🛑", "Stop, 9 was fine", "9/10 arrêt"],
        *["StopAll", "STOP ALL", "Unsubscribe", "cancel", "END", "quit", "Revoke.", "OPT OUT", "opt-out", "OptOut"],
        *[
            "remove!",
            "DÉSABONNER",
            "desabonner",
            "Désinscrire",
            "me désabonner",
            "se désabonner",
            "Baja",
            "abmelden",
            "Stopp",
        ],
        *["afmelden", "إلغاء", "توقف", "ÄRRET".replace("Ä", "A"), "STOP\nsent from my phone", "stop\u200b"],
    ],
)
def test_e52_opting_out_is_understood_and_wins_over_any_number(text: str) -> None:
    assert read_order(text) is ReplyKind.OPT_OUT
    assert nps(text) == Reply(ReplyKind.OPT_OUT)


@pytest.mark.parametrize(
    "text", ["please end it, 9", "I had to cancel, 3", "9 non-stop", "quit 9", "the end was good 8"]
)
def test_other_opt_out_words_count_only_as_the_whole_message(text: str) -> None:
    assert nps(text).kind is ReplyKind.SCORE


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("START", "opt_in"),
        ("unstop", "opt_in"),
        ("Start.", "opt_in"),
        ("HELP", "help"),
        ("Info?", "help"),
        ("aide", "help"),
    ],
)
def test_start_and_help_are_whole_messages(text: str, kind: str) -> None:
    assert nps(text).kind == kind
    assert nps(f"{text} 9 more").kind is ReplyKind.SCORE


@pytest.mark.parametrize(
    "text",
    [
        *["Laissez-moi tranquille !", "leave me alone", "Please don't text me", "please stop texting me 0"],
        *["ne m’envoyez plus rien", "Fichez-moi la paix", "Lassen Sie mich in Ruhe", "déjenme en paz"],
        *["laat me met rust", "اتركوني", "take me off your list", "Unsubscribe please", "please STOP now"],
        *["I do not want to receive these texts", "Je ne souhaite plus recevoir de messages", "Please remove me"],
        # what our own e-mails call it, in every language
        *["Don’t ask me again", "Ne plus me solliciter", "Nicht mehr fragen", "No volver a preguntarme"],
        *["Niet meer vragen", "لا تسألني مرة أخرى"],
    ],
)
def test_asking_for_peace_in_other_words_is_understood_and_is_no_score(text: str) -> None:
    assert nps(text) == Reply(ReplyKind.PEACE)


@pytest.mark.parametrize(
    "text",
    ["Automatic reply: I am out of the office until 9 January", "I'm driving right now", "Réponse automatique : absent"]
    + ["Abwesenheitsnotiz: bis 8.1. nicht da", "Respuesta automática", "رد تلقائي"]
    + ["(I’m not receiving notifications. If this is urgent, reply “urgent”.)", "Hi, I am away until 9 January"]
    + ["Je suis en vacances jusqu'au 9", "Je conduis, je vous répondrai plus tard", "This inbox is not monitored"],
)
def test_e54_an_automatic_reply_is_no_answer(text: str) -> None:
    assert nps(text) == Reply(ReplyKind.AUTOMATIC)


def test_every_phrase_is_written_as_it_is_compared() -> None:
    listed = {*reply_words.OPT_OUT, *reply_words.OPT_IN, *reply_words.HELP, *reply_words.PEACE, *reply_words.AUTOMATIC}
    assert {text for text in listed | reply_words.FIRST_OR_LAST if fold(text) != text} == set()


def test_every_language_has_every_number_up_to_ten() -> None:
    for language, table in reply_words.NUMBERS.items():
        assert set(range(11)) <= set(table.values()), language
        assert {word for word in table if word != word.casefold()} == set()


@pytest.mark.parametrize(
    ("text", "chosen"), [("2", [2]), ("1, 3", [1, 3]), ("two", [2]), ("3 3", [3]), ("4", []), ("x", [])]
)
def test_options_are_chosen_by_their_numbers(text: str, chosen: list[int]) -> None:
    assert read_choices(text, 3, ("en",)) == chosen


@given(st.text(max_size=LONGEST))
def test_any_text_is_read_without_an_error_and_a_score_is_on_the_scale(text: str) -> None:
    reply = nps(text)
    assert (reply.score is not None) == (reply.kind is ReplyKind.SCORE)
    assert reply.score is None or 0 <= reply.score <= 10


@given(st.integers(0, 10), st.sampled_from(["{}", "{}!", "score {}", "{} merci", "  {}\n", "{}/10", "{} sur dix"]))
def test_a_number_on_the_scale_is_read_in_any_frame(score: int, frame: str) -> None:
    assert nps(frame.format(score)).score == score


@given(st.text(max_size=60), st.sampled_from(["stop", "STOP", "Arrêt", "arret"]))
def test_stop_as_first_or_last_word_always_opts_out(text: str, word: str) -> None:
    assert read_order(f"{word} {text}") is ReplyKind.OPT_OUT
    assert read_order(f"{text} {word}") is ReplyKind.OPT_OUT
