"""Which passwords are good enough. Keeps none and hashes none."""

SHORTEST = 12
LONGEST = 256
COMMON = frozenset(
    """
    123456789012 1234567890123 12345678901234 123456789012345 1234567890123456 012345678901 0123456789012
    098765432109 987654321098 987654321012 password1234 password12345 password123456 passwordpassword
    password123123 mypassword123 p@ssword1234 passw0rd1234 p@ssw0rd1234 motdepasse123 motdepasse1234
    monmotdepasse passwort1234 contrasena123 qwertyuiop12 qwertyuiop123 qwertyuiop1234 qwertyuiopasdf
    qwerty123456 qwerty1234567 qwerty12345678 qwertyqwerty azertyuiop12 azertyuiop123 azerty123456 azertyazerty
    qwertzuiop12 qwertz123456 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1qaz2wsx3edc zaq12wsxcde3 qazwsxedcrfv asdfghjkl123
    zxcvbnm12345 abcdefghijkl abcdefghijklm abcdefg12345 abcd12345678 abc123456789 a12345678901 iloveyou1234
    iloveyouforever letmein12345 letmeinletmein welcome12345 welcome123456 welcometothejungle administrator
    administrator1 admin1234567 admin12345678 adminadmin123 changeme1234 changemechangeme
    correcthorsebatterystaple trustno1trustno1 sunshine1234 princess1234 football1234 baseball1234 superman1234
    michael12345 dragon123456 monkey123456 master123456 liverpool123 manchester123 olympiquemarseille
    surveyapp123 surveyapp1234 surveyappsurveyapp oddjobairways oddjobairways1
    """.split()
)


def weakness(password: str, email: str) -> str | None:
    """The sentence that says why a password is refused, or None when it is good enough.

    Length counts characters; no kinds of characters are asked for (OWASP ASVS 5.0, 6.2).
    """
    if len(password) < SHORTEST:
        return f"Use at least {SHORTEST} characters; a few words in a row are fine."
    if len(password) > LONGEST:
        return f"Use at most {LONGEST} characters."
    plain = password.casefold().replace(" ", "")
    if plain in COMMON or len(set(plain)) < 5:
        return "This password is among the first that are guessed. Choose another."
    if plain in (email.casefold(), email.casefold().partition("@")[0]):
        return "This password is your e-mail address. Choose another."
    return None
