"""Whether a text sells: promotional words, and links that lead elsewhere than to the question. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

Lists = Mapping[str, Mapping[str, Sequence[str]]]
_ADDRESS = re.compile(r"https?://[^\s\"'<>]+", re.IGNORECASE)
_TRACKS = re.compile(r"[?&](utm_\w*|gclid|fbclid|mc_[ce]id)=", re.IGNORECASE)


def words_for(lists: Lists, language: str) -> Mapping[str, Sequence[str]]:
    """The words to listen for in a language (`de-CH` has those of `de`), by their kind; empty for an unknown one."""
    return lists.get(language) or lists.get(language.split("-")[0]) or {}


def first_word(text: str, words: Sequence[str]) -> str | None:
    """The first of the words that the text says, in any case; one that ends with * also in its longer forms."""
    folded = text.lower().replace("’", "'")
    for word in words:
        stem = word.removesuffix("*")
        end = "" if stem != word else r"(?!\w)"
        if re.search(rf"(?<!\w){re.escape(stem.lower())}{end}", folded):
            return stem
    return None


def promotions(texts: Iterable[str], words: Sequence[str], ours: Iterable[str]) -> list[str]:
    """What in a message sells, a sentence each: a promotional word, a tracking link, a link to a host not of `ours`.

    `ours` are the addresses that may stand in it: this application's, and those the brand gives for privacy and help.
    """
    hosts = {urlsplit(address).netloc.lower() for address in ours if address}
    found: list[str] = []
    for text in texts:
        if word := first_word(_ADDRESS.sub(" ", text), words):
            found.append(f"“{word}” sells; a message that asks never does.")
        for address in _ADDRESS.findall(text):
            host = urlsplit(address).netloc.lower()
            if _TRACKS.search(address):
                found.append(f"A link to {host} tracks who follows it.")
            elif host not in hosts:
                found.append(f"A link to {host} leads away from the question.")
    return list(dict.fromkeys(found))
