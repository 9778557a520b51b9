"""What we say back to a person who texted us, in their language. Fills in; sends nothing."""

from datetime import datetime
from zoneinfo import ZoneInfo

from surveyapp.domain.messages import one_line
from surveyapp.domain.questions import Group, Kind, Question
from surveyapp.domain.scores import METRICS
from surveyapp.domain.wording import as_text_message, choose_language, fill, in_language
from surveyapp.models import Brand, Customer
from surveyapp.queries import catalog
from surveyapp.queries.words import Words, words


class ReplyTexts:
    """The sentences of one conversation."""

    def __init__(self, brand: Brand, language: str | None) -> None:
        self.brand = brand
        chosen = choose_language([language], [str(code) for code in brand.languages], brand.language)
        self.words: Words = words(chosen)
        self.texts = catalog.read_yaml(f"messages/{self.words.texts['language']}.yaml")["sms"]

    def say(self, name: str, **values: object) -> str:
        """The sentence of that name, without the characters that would double its length."""
        text = fill(str(self.texts[name]), {"brand": one_line(self.brand.name), **values})
        return as_text_message(text)

    def saved(self, score: int, question: Question, group: Group | None = None) -> str:
        """The score is saved, and the next question, a choice with its options numbered."""
        ask = in_language(question.asks(group), self.words.language, self.brand.language)
        if question.kind is Kind.COMMENT:
            ask = ask or self.words.say("short.reason")
        if question.options:
            labels = [in_language(o.label, self.words.language, self.brand.language) for o in question.options]
            numbered = ", ".join(f"{number} {label}" for number, label in enumerate(labels, 1))
            ask = f"{ask} {numbered}."
        return self.say("saved", score=score, reason=ask)

    def again(self, metric: str) -> str:
        """One number, please."""
        return self.say("again", low=METRICS[metric].low, high=METRICS[metric].high)

    def closing(self, until: datetime | None, customer: Customer | None) -> str:
        """Thank you; with the day before which we keep quiet, where the policy promises one."""
        if until is None:
            return self.say("closing")
        zone = ZoneInfo((customer.timezone if customer else None) or self.brand.timezone)
        return self.say("closing_until", date=self.words.day(until.astimezone(zone).date()))
