"""PURE: sets of prompts as people have them, CSV or JSON lines, read into items."""

import csv
import io
from typing import Any

import msgspec

from agent_marketplace import json
from agent_marketplace.errors import BadRequest

MOST_ITEMS = 1_000
_LONGEST = 200_000


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt. id: the file's own name for it; expected: what a right answer holds, "" = not said."""

    id: str
    messages: list[dict[str, Any]]
    expected: str = ""


def read_items(data: bytes, form: str) -> list[Item]:
    """form: `csv` (with a line of names: prompt, system?, expected?, id?) or `jsonl` (objects of the same fields, or messages).

    Raises BadRequest, which names the line.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadRequest("The file is not UTF-8") from None
    rows = _csv(text) if form == "csv" else _lines(text)
    if not rows:
        raise BadRequest("The file has no prompts")
    if len(rows) > MOST_ITEMS:
        raise BadRequest(f"The file has more than {MOST_ITEMS:,} prompts")
    return [_item(line, row) for line, row in rows]


def _csv(text: str) -> list[tuple[int, dict[str, Any]]]:
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        if "prompt" not in (reader.fieldnames or ()):
            raise BadRequest("The first line must name the columns, and one of them must be `prompt`")
        return [(reader.line_num, {k: v for k, v in row.items() if k and v}) for row in reader]
    except csv.Error as error:
        raise BadRequest(f"The file is not CSV: {error}") from None


def _lines(text: str) -> list[tuple[int, dict[str, Any]]]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.decode(line.encode())
        except ValueError:
            raise BadRequest(f"Line {number} is not JSON") from None
        if not isinstance(row, dict):
            raise BadRequest(f"Line {number} is not a JSON object")
        found.append((number, row))
    return found


def _item(line: int, row: dict[str, Any]) -> Item:
    messages = row.get("messages")
    if messages is None:
        prompt, system = row.get("prompt"), row.get("system")
        if not isinstance(prompt, str) or not prompt.strip():
            raise BadRequest(f"Line {line} has no prompt")
        messages = [{"role": "user", "content": prompt}]
        if isinstance(system, str) and system:
            messages.insert(0, {"role": "system", "content": system})
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise BadRequest(f"messages of line {line} must be a list of messages")
    expected, name = row.get("expected") or "", row.get("id") or str(line)
    if not isinstance(expected, str) or len(json.encode(row)) > _LONGEST:
        raise BadRequest(f"Line {line} is too long, or its `expected` is no text")
    return Item(id=str(name)[:100], messages=messages, expected=expected)
