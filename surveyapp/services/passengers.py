"""Reads the public passenger satisfaction file as a history: who, which step when, and the rating they gave it.

The file is not shipped. Ratings are 1–5; 0 means "not applicable" and is no answer.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from surveyapp.domain.events import CustomerIn, EventIn

# rating column → (step of the flight journey, hours from departure)
STEPS: dict[str, tuple[str, float]] = {
    "Ease of Online Booking": ("online_booking", -480),
    "Departure and Arrival Time Convenience": ("time_convenience", -479),
    "Check-in Service": ("check_in", -20),
    "Online Boarding": ("online_boarding", -3),
    "Gate Location": ("gate_location", -1),
    "On-board Service": ("on_board_service", 0.5),
    "Seat Comfort": ("seat_comfort", 0.6),
    "Leg Room Service": ("leg_room", 0.7),
    "Cleanliness": ("cleanliness", 0.8),
    "Food and Drink": ("food_and_drink", 1.0),
    "In-flight Service": ("in_flight_service", 1.2),
    "In-flight Wifi Service": ("wifi", 1.3),
    "In-flight Entertainment": ("entertainment", 1.4),
    "Baggage Handling": ("baggage_handling", 3),
}
NEEDED = ("ID", "Age", "Customer Type", "Type of Travel", "Class", "Departure Delay", "Arrival Delay", *STEPS)
JOURNEY = "flight"
LONGEST_SPAN = timedelta(days=120)
A_DAY = 50  # passengers that depart on one day while there are few


class PassengerFileUnreadable(Exception):
    """The file is not the passenger file; the message says what is missing, with the line where there is one."""


@dataclass(frozen=True, slots=True)
class Passenger:
    number: int
    attributes: Mapping[str, str]
    delays: Mapping[str, int]
    ratings: Mapping[str, int]  # by step

    @property
    def external_id(self) -> str:
        return f"passenger-{self.number}"


def read_passengers(path: Path, limit: int | None = None) -> list[Passenger]:
    """The first `limit` passengers of the file. Raises PassengerFileUnreadable."""
    found: list[Passenger] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
            if missing:
                raise PassengerFileUnreadable(f"the columns are not those of the passenger file; missing: {missing}")
            for row in reader:
                if limit is not None and len(found) >= limit:
                    break
                found.append(_passenger(row, reader.line_num))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise PassengerFileUnreadable(str(problem)) from problem
    return found


def _passenger(row: Mapping[str, str], line: int) -> Passenger:
    try:
        age = int(row["Age"])
        ratings = {step: int(row[column]) for column, (step, _) in STEPS.items()}
        if any(not 0 <= rating <= 5 for rating in ratings.values()):
            raise ValueError("a rating is not 0 to 5")
        return Passenger(
            number=int(row["ID"]),
            attributes={
                "class": row["Class"],
                "customer_type": row["Customer Type"],
                "travel_type": row["Type of Travel"],
                "age_band": _band(age),
            },
            delays={
                "departure_delay_minutes": int(row["Departure Delay"] or 0),
                "arrival_delay_minutes": int(float(row["Arrival Delay"] or 0)),
            },
            ratings=ratings,
        )
    except (TypeError, ValueError) as problem:
        raise PassengerFileUnreadable(f"line {line}: {problem}") from problem


def _band(age: int) -> str:
    for top, name in ((17, "under 18"), (29, "18-29"), (44, "30-44"), (59, "45-59")):
        if age <= top:
            return name
    return "60 and over"


def events_of(passengers: list[Passenger], now: datetime) -> list[EventIn]:
    """Every passenger's steps on a believable timeline that ends before `now`, sorted by time.

    Departures are spread evenly over up to 120 days between 06:00 and 22:00; events after departure know the delays.
    """
    latest = (now - timedelta(days=12)).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    span = min(LONGEST_SPAN, timedelta(days=7 + len(passengers) / A_DAY))
    departures = [_departure(latest - span + span * (i / len(passengers)), i) for i in range(len(passengers))]
    events = [e for p, departure in zip(passengers, departures, strict=True) for e in _events(p, departure)]
    events.sort(key=lambda event: (event.occurred_at, event.id))
    return events


def _departure(day: datetime, index: int) -> datetime:
    return day.replace(hour=6) + timedelta(minutes=(index * 7919) % (16 * 60))


def _events(passenger: Passenger, departure: datetime) -> Iterator[EventIn]:
    customer = CustomerIn(
        external_id=passenger.external_id,
        email=f"{passenger.external_id}@passengers.example",
        attributes=dict(passenger.attributes),
        given=frozenset({"email", "attributes"}),
    )
    delay = timedelta(minutes=passenger.delays["departure_delay_minutes"])
    for step, hours in STEPS.values():
        moment = departure + timedelta(hours=hours) + (delay if hours > 0 else timedelta(0))
        yield EventIn(
            id=f"{passenger.external_id}:{step}",
            customer=customer,
            occurred_at=moment,
            journey=JOURNEY,
            step=step,
            instance=f"flight-of-{passenger.external_id}",
            properties=dict(passenger.delays) if hours > 0 else {},
        )
