"""Answers as files: CSV, NDJSON, XLSX and Parquet, written row by row so that memory stays flat.

Text that a spreadsheet would run as a formula is made harmless. It reads nothing: rows come in as an iterator.
"""

import csv
import importlib
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

Record = dict[str, Any]
Row = Sequence[Any]
"""An answer's cells in the order of COLUMNS; `answers` and `context` are JSON texts as the database keeps them."""

COLUMNS = {
    "id": "VARCHAR",
    "survey": "VARCHAR",
    "version": "INTEGER",
    "metric": "VARCHAR",
    "score": "INTEGER",
    "comment": "VARCHAR",
    "status": "VARCHAR",
    "channel": "VARCHAR",
    "language": "VARCHAR",
    "customer": "VARCHAR",
    "journey": "VARCHAR",
    "step": "VARCHAR",
    "instance": "VARCHAR",
    "event_at": "TIMESTAMPTZ",
    "answered_at": "TIMESTAMPTZ",
    "decision": "VARCHAR",
    "inclusion": "DOUBLE",
    "answers": "VARCHAR",
    "context": "VARCHAR",
}
"""The columns of a table of answers; `answers` and `context` are JSON texts."""
REMEMBERED = 512

FORMULA_STARTS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
SHEET_ROWS = 1_048_576
CELL_CHARACTERS = 32_767
FLUSH_BYTES = 64 * 1024
ENGINE = {
    "threads": 1,
    "memory_limit": "256MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def safe_text(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula."""
    return "'" + text if text[:1] in FORMULA_STARTS else text


def flat(rows: Iterable[Row], attributes: Sequence[str]) -> Iterator[list[Any]]:
    """The rows with their JSON written compactly, then a cell for each reporting attribute. Numbers stay numbers.

    Contexts repeat from answer to answer: one that was read a moment ago is not read again.
    """

    @lru_cache(maxsize=REMEMBERED)
    def read(text: str) -> tuple[str, list[Any]]:
        context = json.loads(text)
        return _json(context), [_plain(context.get(name)) for name in attributes]

    for row in rows:
        *cells, answers, context = row
        written, told = read(context)
        yield [*cells, answers if answers == "{}" else _json(json.loads(answers)), written, *told]


def header(attributes: Sequence[str]) -> list[str]:
    """The names of the columns that `flat` gives."""
    return [*COLUMNS, *(f"context.{name}" for name in attributes)]


def csv_lines(rows: Iterable[Row], attributes: Sequence[str], *, mark: bool = False) -> Iterator[bytes]:
    """Answers as CSV."""
    return csv_rows(header(attributes), flat(rows, attributes), mark=mark)


def csv_rows(names: Sequence[str], rows: Iterable[Sequence[Any]], *, mark: bool = False) -> Iterator[bytes]:
    """RFC 4180 in UTF-8, with the byte order mark if asked; in pieces of about 64 KiB."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    if mark:
        buffer.write("\ufeff")
    writer.writerow([safe_text(name) for name in names])
    for row in rows:
        writer.writerow([v if v.__class__ is str and v[:1] not in FORMULA_STARTS else _csv_cell(v) for v in row])
        if buffer.tell() > FLUSH_BYTES:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _csv_cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return safe_text(value) if isinstance(value, str) else value


def json_lines(records: Iterable[Record]) -> Iterator[bytes]:
    """One JSON object a line, in the shape of the API."""
    for record in records:
        yield _json(record).encode() + b"\n"


def xlsx_file(rows: Iterable[Row], attributes: Sequence[str]) -> IO[bytes]:
    """A workbook, open for reading and gone when closed. No cell is a formula or a link; a full sheet is continued."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "responses.xlsx"
        with _library("xlsxwriter").Workbook(str(target), options | {"tmpdir": folder}) as book:
            sheet, number = book.add_worksheet(), 0
            sheet.write_row(0, 0, header(attributes))
            for row in flat(rows, attributes):
                number += 1
                if number == SHEET_ROWS:
                    sheet, number = book.add_worksheet(), 1
                    sheet.write_row(0, 0, header(attributes))
                for column, value in enumerate(row):
                    _write_cell(sheet, number, column, value)
        return target.open("rb")


def _write_cell(sheet: Any, row: int, column: int, value: Any) -> None:
    if isinstance(value, str):
        sheet.write_string(row, column, value[:CELL_CHARACTERS])
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif value is not None:
        sheet.write_number(row, column, value)


def parquet_file(rows: Iterable[Row], attributes: Sequence[str]) -> IO[bytes]:
    """A Parquet file, open for reading and gone when closed. No text of a user enters a statement."""
    with tempfile.TemporaryDirectory() as folder:
        kept, target = Path(folder) / "rows.ndjson", Path(folder) / "responses.parquet"
        with kept.open("w", encoding="utf-8") as lines:
            for row in flat(rows, ()):
                lines.write(json.dumps(dict(zip(COLUMNS, row, strict=True))) + "\n")
        settings = ENGINE | {"temp_directory": folder}
        with _library("duckdb").connect(":memory:", config=settings) as engine:
            table = engine.read_json(str(kept), format="newline_delimited", columns=COLUMNS)
            table.write_parquet(str(target))
        return target.open("rb")


FILES: dict[str, tuple[str, Callable[[Iterable[Row], Sequence[str]], IO[bytes]]]] = {
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_file),
    "parquet": ("application/vnd.apache.parquet", parquet_file),
}
"""By suffix: the content type, and what writes the file."""


def _library(name: str) -> Any:
    """A library that only exports need, loaded at the first export."""
    return importlib.import_module(name)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    return _json(value) if isinstance(value, dict | list) else value
