"""results.json, and the part of docs/compatibility.md that is written from it and from the table of clients."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent_marketplace.connect import Client, Connection, shown

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
DOCS = HERE.parents[1] / "docs" / "compatibility.md"
BEGIN, END = "<!-- clients: written by make clients -->", "<!-- clients: end -->"
COLUMNS = ("gpt", "claude", "gemini", "declared")
EXAMPLE = Connection(origin="http://HOST", key="KEY", model="MODEL", name="MODEL", context=131_072, max_output=32_000)
Results = Mapping[str, Mapping[str, Mapping[str, Any]]]


def load() -> dict[str, Any]:
    """Each client's newest results, by client and model."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}  # type: ignore[no-any-return]


def save(results: Results) -> None:
    RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


def write(table: Sequence[Client], results: Results) -> None:
    """Puts the table between the markers of docs/compatibility.md."""
    text = DOCS.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCS.write_text(f"{before}{BEGIN}\n{rendered(table, results)}{END}{after}", encoding="utf-8")


def rendered(table: Sequence[Client], results: Results) -> str:
    """The markdown between the markers."""
    return "\n".join([*_results(table, results), "", *_settings(table), ""])


def _results(table: Sequence[Client], results: Results) -> Iterator[str]:
    yield "| client | version | client's wire | gpt-5.4 | claude-sonnet-4-6 | gemini-3.1-pro-preview | declared model | date |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    notes: list[str] = []
    for client in table:
        rows = results.get(client.id, {})
        wires = client.wires[0] if rows else ", ".join(client.wires)
        if not rows:
            if client.documented:
                yield f"| {client.name} | – | {wires} | – | – | – | – | from its documentation of {client.documented}, not tried |"
            continue
        cells = [_cell(client, rows.get(column), notes) for column in COLUMNS]
        dates = sorted({row["date"] for row in rows.values()})
        yield f"| {client.name} | {client.version} | {wires} | {' | '.join(cells)} | {dates[-1]} |"
    yield ""
    yield from (f"{i}. {note}" for i, note in enumerate(notes, 1))


def _cell(client: Client, row: Mapping[str, Any] | None, notes: list[str]) -> str:
    if row is None:
        return "–"
    if row["result"] == "ok":
        return "ok"
    notes.append(f"{client.name}: {row['result']}")
    return f"failed ({len(notes)})"


def _settings(table: Sequence[Client]) -> Iterator[str]:
    yield "The settings (the Connect page fills them in):"
    for client in table:
        if client.kind == "sdk" or client.id == "curl":
            continue
        yield f"\n**{client.name}**{': ' + client.note if client.note else ''}\n"
        for step in client.steps:
            yield f"{step.where}:\n\n```\n{shown(step.template(), EXAMPLE).rstrip()}\n```\n"
