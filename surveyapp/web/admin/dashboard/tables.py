"""The table behind every chart, for readers without script or sight, and the same as a CSV file. No database."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response

from surveyapp.web.api.exports import safe_text


@dataclass(frozen=True)
class Cell:
    """`text` is what a person reads, `raw` what the file holds; None is an empty cell, never nought."""

    text: str
    raw: Any = None
    url: str | None = None


@dataclass(frozen=True)
class Table:
    """Named rows under named columns; `units` stand in the file's header beside the name."""

    name: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)


def lines(table: Table) -> Iterator[list[Any]]:
    """The rows of the file: a header, then values; text that a spreadsheet would run is made harmless."""
    yield [safe_text(name) for name in table.columns]
    for row in table.rows:
        yield [safe_text(cell.raw) if isinstance(cell.raw, str) else cell.raw for cell in row]


def as_csv(table: Table, metric: str) -> Response:
    """The table as a file, RFC 4180 in UTF-8 with the mark that spreadsheets need."""
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerows(lines(table))
    answer = Response(buffer.getvalue().encode(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{metric}-{table.name}.csv"'
    return answer
