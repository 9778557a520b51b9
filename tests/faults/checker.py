"""Judges a run by two files alone: the provider's log and a dump of the database. Knows nothing of the application.

`python tests/faults/checker.py LOG DUMP [--most K --hours H] [--lost N]` prints one line per finding and exits with 1
if there is any. LOG: one JSON object a line, as the stand-in providers write. DUMP: one `{"table", "row"}` a line.

What was definitely refused (4xx) was not handed over; everything else may have left, whatever its answer was.
"""

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

Row = dict[str, Any]
FINAL = {"sent", "delivered", "unknown", "unknown_final", "refused", "failed", "dead", "cancelled"}
LEFT = {"sent", "delivered", "unknown", "unknown_final"}
UNSURE = {"unknown", "unknown_final"}
MESSAGE_ID = re.compile(r"^Message-ID: <([^@]+)@", re.MULTILINE)
SIGNATURE = 16  # characters that a signed link adds to an id


def read_log(path: Path) -> Iterator[tuple[str, str]]:
    """(our message id, address) of everything that may have left, by SendGrid, a mail server or Twilio."""
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        if entry.get("did", "answer") == "answer" and 400 <= entry.get("status", 202) < 500:
            continue
        if "mail" in entry:
            for recipient in entry["recipients"]:
                yield MESSAGE_ID.search(entry["mail"])[1], recipient.lower()  # type: ignore[index]
        elif "personalizations" in entry["body"]:
            for one in entry["body"]["personalizations"]:
                for to in one["to"]:
                    yield one["custom_args"]["message_uid"], to["email"].lower()
        else:
            yield entry["body"]["StatusCallback"].partition("?m=")[2][:-SIGNATURE], entry["body"]["To"]


def read_dump(path: Path) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = defaultdict(list)
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        tables[entry["table"]].append(entry["row"])
    return tables


def at_most_once(handed: list[tuple[str, str]]) -> Iterator[str]:
    """C2: no message reaches the provider twice."""
    for uid, times in Counter(uid for uid, _ in handed).items():
        if times > 1:
            yield f"message {uid} was handed over {times} times"


def within_caps(handed: list[tuple[str, str]], tables: dict[str, list[Row]], most: int, hours: float) -> Iterator[str]:
    """C1: by the provider's log (a run is shorter than the window) and by the ledger, in every window."""
    for address, times in Counter(address for _, address in handed).items():
        if times > most:
            yield f"{address} was contacted {times} times, {most} allowed"
    window = timedelta(hours=hours)
    booked = defaultdict(list)
    for row in tables["contact_ledger"]:
        if row["state"] != "released":
            booked[row["subject_key"]].append(datetime.fromisoformat(row["at"]))
    for key, moments in booked.items():
        moments.sort()
        for first, last in zip(moments, moments[most:], strict=False):
            if last - first < window:
                yield f"the ledger of {key} holds more than {most} in {window}"


def visible(handed: list[tuple[str, str]], tables: dict[str, list[Row]]) -> Iterator[str]:
    """What left is on file as having left and counts; what is on file as sent did leave."""
    messages = {row["uid"]: row for row in tables["message"]}
    counting = {row["message_id"] for row in tables["contact_ledger"] if row["state"] != "released"}
    left = {uid for uid, _ in handed}
    for uid in left:
        row = messages.get(uid)
        if row is None:
            yield f"message {uid} left and is not on file"
        elif row["state"] not in LEFT:
            yield f"message {uid} left and is {row['state']}"
        elif row["id"] not in counting:
            yield f"message {uid} left and does not count"
    for uid, row in messages.items():
        if row["state"] in {"sent", "delivered"} and uid not in left:
            yield f"message {uid} is {row['state']} and never left"
        if row["state"] in FINAL - LEFT and row["id"] in counting:
            yield f"message {uid} is {row['state']} and counts"


def nothing_lost(tables: dict[str, list[Row]], lost: int) -> Iterator[str]:
    """Every event is decided, nothing due waits, every person has a contact or a visible reason, few are unsure."""
    messages = tables["message"]
    for row in messages:
        if row["state"] not in FINAL:
            yield f"message {row['uid']} is left {row['state']}"
    dead = {row["decision_id"] for row in messages if row["state"] == "dead"}
    decided = {row["event_id"] for row in tables["decision"]}
    for row in tables["event"]:
        if row["id"] not in decided:
            yield f"event {row['event_id']} has no decision"
    for row in tables["decision"]:
        if row["outcome"] == "waiting" and row["id"] not in dead:
            yield f"decision {row['uid']} waits for ever"
    addresses = {row["id"]: (row["email"] or row["phone"] or "").lower() for row in tables["customer"]}
    ends = defaultdict(set)
    for row in messages:
        ends[addresses[row["customer_id"]]].add(row["state"])
    for address, states in ends.items():
        if not states & (LEFT | {"dead", "failed"}):
            yield f"{address} was forgotten: {sorted(states)}"
    unsure = sum(row["state"] in UNSURE for row in messages)
    if unsure > lost:
        yield f"{unsure} messages are unknown, at most {lost} can be"


def findings(log: Path, dump: Path, most: int, hours: float, lost: int) -> list[str]:
    handed, tables = list(read_log(log)), read_dump(dump)
    return [
        *at_most_once(handed),
        *within_caps(handed, tables, most, hours),
        *visible(handed, tables),
        *nothing_lost(tables, lost),
    ]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("log", type=Path)
    parser.add_argument("dump", type=Path)
    parser.add_argument("--most", type=int, default=1)
    parser.add_argument("--hours", type=float, default=168)
    parser.add_argument("--lost", type=int, default=0)
    given = parser.parse_args()
    found = findings(given.log, given.dump, given.most, given.hours, given.lost)
    for finding in found:
        print(finding)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
