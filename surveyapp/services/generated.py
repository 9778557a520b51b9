"""Invents customers, their journeys and their answers for the demonstration, from a seed. Everything is labelled.

Same programme, seed and moment: same history. Nobody here exists; addresses end in `.example`, numbers come from
the range kept for fiction.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from surveyapp.domain.events import CustomerIn, EventIn
from surveyapp.domain.scores import METRICS
from surveyapp.services.replay import Asked, Reply

SOURCE = "generated"
LABEL = {"generated": True}
FIRST = "Ada Noor Jules Inès Omar Lena Hugo Mina Paul Zoé Karim Elsa Theo Lucie Sami Nora Axel Rosa Ivan Maya".split()
LAST = "Martin Diallo Rossi Novak Haddad Larsen Moreau Silva Weber Okafor Petit Tanaka Lopez Durand Eriksen".split()
ZONES = ("Europe/Paris",) * 7 + ("Europe/London", "Europe/Berlin", "America/Montreal")
CHOICES: dict[str, Sequence[str]] = {
    "class": ("Economy", "Economy", "Economy", "Economy Plus", "Business", "Business"),
    "customer_type": ("Returning", "Returning", "First-time"),
    "travel_type": ("Business", "Personal"),
    "age_band": ("18-29", "30-44", "30-44", "45-59", "60 and over"),
    "city": ("Paris", "Paris", "Lyon", "Lille", "Nantes"),
    "service": ("Standard", "Standard", "Green", "Van"),
    "product_line": ("Home", "Car", "Car", "Health"),
}
WORDS = {
    "en": {
        "high": ("Quick and easy.", "Friendly people.", "Nothing to add, it just worked.", "Better than last time."),
        "middle": ("Fine, but slow at the start.", "It took two tries.", "All right in the end."),
        "low": (
            "I waited far too long.",
            "Nobody could tell me why.",
            "I had to say everything twice.",
            "It was rude.",
        ),
    },
    "fr": {
        "high": ("Rapide et simple.", "Des gens aimables.", "Rien à redire.", "Mieux que la dernière fois."),
        "middle": ("Bien, mais lent au début.", "Il a fallu deux essais.", "Correct au final."),
        "low": ("J'ai attendu trop longtemps.", "Personne n'a su me dire pourquoi.", "J'ai dû tout répéter."),
    },
}
RARE = ("problem", "complaint", "disruption", "support")


@dataclass(frozen=True, slots=True)
class Stage:
    """A step as the generator sees it; `sensitive` steps almost never happen."""

    journey: str
    key: str
    sensitive: bool

    @property
    def chance(self) -> float:
        if self.sensitive:
            return 0.004
        return 0.08 if any(word in self.key for word in RARE) else 0.97


SPACING = {"ride": timedelta(minutes=14), "flight": timedelta(minutes=50), "insurance": timedelta(days=6)}
VISITS = {"ride": (2, 6), "flight": (1, 3), "insurance": (1, 1)}
SHARE = {"flight": 2.5}  # of the people of one journey: fourteen rated steps need more of them


class Inventor:
    """The whole history of `people` customers per journey in the `days` before `now`."""

    def __init__(
        self, stages: Sequence[Stage], now: datetime, seed: int = 2026, people: int = 500, days: int = 56
    ) -> None:
        self.stages: dict[str, list[Stage]] = {}
        for stage in stages:
            self.stages.setdefault(stage.journey, []).append(stage)
        self.now, self.seed, self.people, self.days = now, seed, people, days
        dice = random.Random(f"{seed}:truth")  # noqa: S311 - invented data, no secret
        self.truth = {f"{s.journey}.{s.key}": dice.uniform(0.5, 0.9) for s in stages}

    def events(self) -> list[EventIn]:
        """Every event, sorted by time, none after `now`."""
        found = [event for journey in self.stages for event in self._journey(journey)]
        return sorted(found, key=lambda event: (event.occurred_at, event.id))

    def _journey(self, journey: str) -> Iterator[EventIn]:
        for number in range(round(self.people * SHARE.get(journey, 1))):
            dice = random.Random(f"{self.seed}:{journey}:{number}")  # noqa: S311
            customer = self._customer(journey, number, dice)
            low, high = VISITS.get(journey, (1, 3))
            for visit in range(dice.randint(low, high)):
                start = self.now - timedelta(days=dice.uniform(0.1, self.days))
                yield from self._visit(journey, customer, visit, start, dice)

    def _visit(
        self, journey: str, customer: CustomerIn, visit: int, start: datetime, dice: random.Random
    ) -> Iterator[EventIn]:
        moment = start
        delay = max(0, round(dice.gauss(6, 18)))
        for stage in self.stages[journey]:
            moment += SPACING.get(journey, timedelta(hours=1)) * dice.uniform(0.5, 1.6)
            if dice.random() > stage.chance or moment > self.now:
                continue
            yield EventIn(
                id=f"generated:{customer.external_id}:{visit}:{stage.key}",
                customer=customer,
                occurred_at=moment,
                journey=journey,
                step=stage.key,
                instance=f"{journey}-{customer.external_id}-{visit}",
                properties={"delay_minutes": delay, **LABEL},
            )

    def _customer(self, journey: str, number: int, dice: random.Random) -> CustomerIn:
        first, last = dice.choice(FIRST), dice.choice(LAST)
        external_id = f"{journey}-{number:03d}"
        attributes = {name: dice.choice(list(values)) for name, values in CHOICES.items()}
        place = list(SPACING).index(journey) if journey in SPACING else 9
        return CustomerIn(
            external_id=external_id,
            email=f"{_plain(first)}.{_plain(last)}.{external_id}@customers.example" if dice.random() < 0.94 else None,
            phone=f"+3363998{place}{number % 1000:03d}" if dice.random() < 0.6 else None,
            language="fr" if dice.random() < 0.45 else "en",
            timezone=dice.choice(ZONES),
            attributes={**attributes, **LABEL},
            given=frozenset({"email", "phone", "language", "timezone", "attributes"}),
        )

    def answer(self, asked: Asked) -> Reply | None:
        """What this customer answers, if at all: some in minutes, most within a day, three in five ever."""
        dice = random.Random(f"{self.seed}:answer:{asked.event}")  # noqa: S311
        if dice.random() > (0.64 if asked.channel == "sms" else 0.58):
            return None
        metric = METRICS[asked.metric]
        truth = self.truth.get(asked.step or "", 0.62)
        delay = asked.properties.get("delay_minutes", 0)
        truth -= min(0.35, float(delay) / 120) if isinstance(delay, int | float) else 0
        draw = dice.random()
        band = "high" if draw < truth else "middle" if draw < truth + (1 - truth) * 0.45 else "low"
        score = dice.choice(_scores(metric.low, metric.high, metric.favourable, metric.unfavourable)[band])
        words = WORDS.get(asked.language, WORDS["en"])[band]
        comment = dice.choice(words) if dice.random() < 0.35 else None
        after = timedelta(minutes=dice.lognormvariate(4.2, 1.6))
        chosen = {
            key: dice.sample(list(of), dice.randint(1, min(2, len(of)))) for key, of in asked.choices.items() if of
        }
        return Reply(score, comment, after, {} if band == "high" else chosen)


def _scores(low: int, high: int, favourable: frozenset[int], unfavourable: frozenset[int]) -> Mapping[str, list[int]]:
    scale = range(low, high + 1)
    middle = [s for s in scale if s not in favourable and s not in unfavourable]
    lowest = sorted(unfavourable)[len(unfavourable) // 2 :] + sorted(unfavourable)[-1:]
    return {"high": sorted(favourable), "middle": middle or sorted(favourable), "low": lowest or middle}


def _plain(name: str) -> str:
    return name.lower().translate(str.maketrans("éèïëô", "eeieo"))
