"""Rows as CSV or JSON lines, for files that people open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agent_marketplace import json
from agent_marketplace.api.envelope import NOT_KEPT

_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # full-width ones are folded by some spreadsheets
KINDS = {"csv": "text/csv", "jsonl": "application/jsonl"}


def headers(name: str) -> dict[str, str]:
    """Of a reply that is saved as a file of this name."""
    return {**NOT_KEPT, "content-disposition": f'attachment; filename="{name}"'}


def head(columns: Sequence[str], form: str) -> bytes:
    """What stands before the first row."""
    return _csv([columns]) if form == "csv" else b""


def lines(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], form: str) -> bytes:
    """Rows in one of KINDS; CSV has the named columns, JSON lines have what the rows have."""
    if form == "jsonl":
        return b"".join(json.encode(row) + b"\n" for row in rows)
    return _csv([_cell(row[name]) for name in columns] for row in rows)


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    """A spreadsheet must not take a text for a formula."""
    if isinstance(value, dict):
        value = json.encode(value).decode()
    if isinstance(value, str) and value.lstrip()[:1] in _FORMULA:
        return "'" + value
    return format(value, "f") if hasattr(value, "as_tuple") else value
