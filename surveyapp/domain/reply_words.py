"""The words a text reply may hold, by language: numbers, opting out and in, asking for help, asking for peace.

Number words are compared as written (small letters), so that `très` is not Spanish `tres`. All other words are
compared folded (`replies.fold`): small letters, no accents, no punctuation.
"""

NUMBERS: dict[str, dict[str, int]] = {
    "en": {
        **{"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8},
        **{"nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15},
        **{"sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "fifty": 50},
        **{"hundred": 100, "thousand": 1000, "million": 1_000_000},
    },
    "fr": {
        **{"zéro": 0, "zero": 0, "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6},
        **{"sept": 7, "huit": 8, "neuf": 9, "dix": 10, "onze": 11, "douze": 12, "treize": 13, "quatorze": 14},
        **{"quinze": 15, "seize": 16, "vingt": 20, "trente": 30, "cinquante": 50, "cent": 100, "mille": 1000},
    },
    "de": {
        **{"null": 0, "ein": 1, "eine": 1, "eins": 1, "zwei": 2, "zwo": 2, "drei": 3, "vier": 4, "fünf": 5},
        **{"fuenf": 5, "funf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10, "elf": 11},
        **{"zwölf": 12, "zwoelf": 12, "dreizehn": 13, "vierzehn": 14, "fünfzehn": 15, "zwanzig": 20},
        **{"fünfzig": 50, "hundert": 100, "tausend": 1000},
    },
    "es": {
        **{"cero": 0, "un": 1, "una": 1, "uno": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6},
        **{"siete": 7, "ocho": 8, "nueve": 9, "diez": 10, "once": 11, "doce": 12, "trece": 13, "catorce": 14},
        **{"quince": 15, "veinte": 20, "cincuenta": 50, "cien": 100, "ciento": 100, "mil": 1000},
    },
    "nl": {
        **{"nul": 0, "een": 1, "één": 1, "twee": 2, "drie": 3, "vier": 4, "vijf": 5, "zes": 6, "zeven": 7},
        **{"acht": 8, "negen": 9, "tien": 10, "elf": 11, "twaalf": 12, "dertien": 13, "veertien": 14},
        **{"vijftien": 15, "twintig": 20, "vijftig": 50, "honderd": 100, "duizend": 1000},
    },
    "ar": {
        **{"صفر": 0, "واحد": 1, "واحدة": 1, "اثنان": 2, "اثنين": 2, "إثنان": 2, "إثنين": 2, "ثلاثة": 3, "ثلاث": 3},
        **{"أربعة": 4, "اربعة": 4, "أربع": 4, "خمسة": 5, "خمس": 5, "ستة": 6, "سبعة": 7, "سبع": 7, "ثمانية": 8},
        **{"تسعة": 9, "تسع": 9, "عشرة": 10, "عشر": 10, "عشرون": 20, "عشرين": 20, "مئة": 100, "مائة": 100},
    },
}

# Words that are articles too, or that say "none of something": a number only when they stand by themselves.
WEAK_NUMBERS = frozenset(
    {"one", "un", "une", "ein", "eine", "una", "uno", "een", "واحد", "واحدة"}
    | {"zero", "zéro", "null", "cero", "nul", "صفر"}
)
BEFORE_THE_TOP = frozenset({"/", "of", "outta", "sur", "von", "aus", "van", "de", "sobre", "من"})  # 9 sur 10
SKIPPED_BEFORE_THE_TOP = frozenset({"out", "possible", "la", "le", "los", "die", "den", "der"})  # nine out of ten
MINUS = frozenset({"minus", "moins", "menos", "min", "سالب", "ناقص"})

FIRST_OR_LAST = frozenset({"stop", "arret"})
OPT_OUT = frozenset(
    {"stop", "stopall", "stop all", "stop sms", "stopsms", "unsubscribe", "cancel", "end", "quit", "revoke"}
    | {"optout", "opt out", "opt me out", "remove", "remove me", "unsub"}
    | {"arret", "arreter", "arretez", "desabonner", "me desabonner", "desabonnement", "desinscrire", "me desinscrire"}
    | {"se desabonner", "se desinscrire", "desinscription"}
    | {"stopp", "abmelden", "abbestellen", "abmeldung"}
    | {"baja", "darme de baja", "parar", "alto", "cancelar"}
    | {"stoppen", "afmelden", "uitschrijven"}
    | {"توقف", "ايقاف", "قف", "الغاء", "الغاء الاشتراك"}
)
OPT_IN = frozenset({"start", "unstop"})
HELP = frozenset({"help", "info", "aide", "hilfe", "ayuda", "مساعده"})

# Whole phrases, since a disappointed customer writes the beginnings of many: "let me be honest, 3".
PEACE = (
    *("leave me alone", "leave us alone", "stop texting", "stop messaging", "stop sending", "stop now"),
    *("stop these messages", "stop these texts", "stop this spam", "not ask me again"),
    *("don t ask me again", "dont ask me again", "never ask me again", "don t want these texts"),
    *("not want to receive", "don t want to receive", "dont want to receive", "not wish to receive"),
    *("no longer want to receive", "no longer wish to receive", "don t want these messages"),
    *("stop contacting", "stop bothering", "stop asking", "stop spamming", "quit texting", "do not text", "dont text"),
    *("don t text", "do not contact", "dont contact", "don t contact", "do not message", "don t message"),
    *("dont message", "do not bother me", "don t bother me", "dont bother me", "no more texts", "no more messages"),
    *("no more sms", "no more surveys", "take me off your", "take me off this", "take me off the list"),
    *("please remove me", "remove me please", "remove me from your", "remove me from this", "remove me from the list"),
    *("lose my number", "unsubscribe me", "opt me out"),
    *("delete my number", "remove my number", "unsubscribe please", "please unsubscribe", "fuck off", "piss off"),
    *("laissez moi tranquille", "laisse moi tranquille", "laissez nous tranquilles", "fichez moi la paix"),
    *("fiche moi la paix", "foutez moi la paix", "fous moi la paix", "foutez le camp", "ne me contactez plus"),
    *("ne me contacte plus", "ne m envoyez plus", "ne m envoie plus", "ne m ecrivez plus", "arretez de m"),
    *("arrete de m", "arretez vos messages", "arretez vos sms", "cessez de m", "plus de sms", "plus de message"),
    *("plus de messages", "plus aucun message", "desabonnez moi", "desinscrivez moi", "retirez moi", "enlevez moi"),
    *("supprimez mon numero", "effacez mon numero", "veux plus recevoir", "veux plus etre contacte"),
    *("veux plus de vos", "veux plus vos", "souhaite plus recevoir", "souhaite plus etre contacte", "ne plus recevoir"),
    *("ne plus me solliciter", "ne me sollicitez plus", "ne plus me contacter", "ne plus m ecrire"),
    *("lassen sie mich in ruhe", "lass mich in ruhe", "lasst mich in ruhe", "keine sms mehr", "keine nachrichten mehr"),
    *("nicht mehr schreiben", "nicht mehr kontaktieren", "schreiben sie mir nicht", "schreibt mir nicht"),
    *("horen sie auf", "hort auf", "hor auf", "melden sie mich ab", "meldet mich ab", "loschen sie meine nummer"),
    *("nicht mehr fragen", "fragen sie mich nicht", "fragt mich nicht", "frag mich nicht", "nicht mehr anschreiben"),
    *("dejenme en paz", "dejeme en paz", "dejame en paz", "dejadme en paz", "no me escriban", "no me escriba"),
    *("no me contacten", "no me contacte", "no me envien", "no me manden", "no mas mensajes", "no mas sms"),
    *("denme de baja", "deme de baja", "dar de baja", "borren mi numero", "quitenme"),
    *("no volver a preguntarme", "no me pregunten", "no quiero recibir", "dejen de escribirme", "dejen de enviarme"),
    *("laat me met rust", "laat mij met rust", "laat ons met rust", "geen sms meer", "geen berichten meer"),
    *("stuur me niet", "stuur mij geen", "stuur me geen", "niet meer sturen", "niet meer vragen"),
    *("niet meer contacteren", "meld me af"),
    *("schrijf me uit", "verwijder mijn nummer"),
    *("اتركوني", "اتركني", "دعوني وشاني", "دعني وشاني", "لا تسالني", "لا تسالوني", "لا ترسل", "لا ترسلوا"),
    *("لا تراسلوني", "لا تتصلوا", "توقفوا عن"),
    *("كفي رسايل", "لا اريد رسايل", "احذفوا رقمي"),
)

AUTOMATIC = (
    *("automatic reply", "auto reply", "autoreply", "automatic response", "auto response", "automated response"),
    *("out of office", "out of the office", "i m driving", "i am driving", "im driving", "driving right now"),
    *("i ll reply when", "will get back to you", "does not accept replies"),
    *("do not reply to this", "cannot receive messages", "on annual leave", "i m currently away"),
    *("i am currently away", "away from my phone", "i am away until", "i m away until", "on leave until"),
    *("on vacation until", "on holiday until", "automatic message", "automated message", "automated reply"),
    *("i m not receiving notifications", "is not monitored", "get back to you as soon", "can t talk right now"),
    *("reponse automatique", "message automatique", "absent du bureau", "absence du bureau", "je suis en conge"),
    *("je suis au volant", "je conduis actuellement", "je conduis je", "suis actuellement absent"),
    *("suis actuellement absente", "ne pas repondre a ce", "en deplacement jusqu"),
    *("en vacances jusqu", "en conge jusqu", "en conges jusqu"),
    *("absent jusqu", "absente jusqu", "je vous rappelle des que"),
    *("je vous repondrai des", "je vous repondrai plus tard"),
    *("automatische antwort", "abwesenheitsnotiz", "automatische nachricht", "ich bin im urlaub", "fahre gerade auto"),
    *("bin derzeit nicht", "nicht im buro"),
    *("respuesta automatica", "mensaje automatico", "fuera de la oficina", "estoy conduciendo", "estoy de vacaciones"),
    *("automatisch antwoord", "automatisch bericht", "ik ben aan het rijden", "niet op kantoor", "op vakantie tot"),
    *("رد تلقايي", "رساله تلقاييه", "خارج المكتب", "اقود السياره"),
)
