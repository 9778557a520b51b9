"""What a replay counts. Tallies of separate persons add up, in any order, and survive as JSON between two slices."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

SEPARATOR = "\t"


@dataclass(slots=True)
class Tally:
    """Asks by trigger and channel, refusals by trigger and reason, customers by how often they were contacted."""

    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    contacts: Counter[int] = field(default_factory=Counter)
    reminders: int = 0

    @property
    def asks(self) -> int:
        return sum(self.asked.values())

    @property
    def decisions(self) -> int:
        return self.asks + sum(self.refused.values())

    def by_trigger(self) -> dict[str, int]:
        """Asks per trigger."""
        found: Counter[str] = Counter()
        for (trigger, _), count in self.asked.items():
            found[trigger] += count
        return dict(sorted(found.items()))

    def by_reason(self) -> dict[str, int]:
        """Refusals per rule, the most frequent first."""
        found: Counter[str] = Counter()
        for (_, reason), count in self.refused.items():
            found[reason] += count
        return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))

    def people_asked(self, least: int = 1) -> int:
        """How many customers were contacted at least so often."""
        return sum(count for contacts, count in self.contacts.items() if contacts >= least)

    def as_json(self) -> dict[str, Any]:
        """The tally as plain JSON; `read` gives it back."""
        return {
            "asked": {SEPARATOR.join(key): count for key, count in sorted(self.asked.items())},
            "refused": {SEPARATOR.join(key): count for key, count in sorted(self.refused.items())},
            "contacts": {str(contacts): count for contacts, count in sorted(self.contacts.items())},
            "reminders": self.reminders,
        }


def read(value: dict[str, Any]) -> Tally:
    """The tally that `as_json` wrote."""
    return Tally(
        asked=Counter({_pair(key): count for key, count in value["asked"].items()}),
        refused=Counter({_pair(key): count for key, count in value["refused"].items()}),
        contacts=Counter({int(contacts): count for contacts, count in value["contacts"].items()}),
        reminders=value["reminders"],
    )


def _pair(key: str) -> tuple[str, str]:
    trigger, _, other = key.partition(SEPARATOR)
    return trigger, other
