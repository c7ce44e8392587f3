"""Real coding agents, programs and libraries against our server: `make clients`, or `python bench/clients/run.py [ID ...]`.

Each client is installed at its pinned version, set up with exactly what `connect/clients.toml` shows, and given one task: read a
file, edit it, run a command, say what it printed (`script.py`). Results go to results.json and, between markers, into
docs/compatibility.md. Ends with 1 if a client failed that had not failed before.
"""

import argparse
import json
import re
import secrets
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lab
import report
import script
from agent_marketplace.connect import Client, Connection, clients, shown
from provider import Journal, provider

HERE = Path(__file__).resolve().parent
LIMIT_S = 150
MODELS = {
    "gpt": ("gpt-5.4", "GPT-5.4"),
    "claude": ("claude-sonnet-4-6", "Claude Sonnet 4.6"),
    "gemini": ("gemini-3.1-pro-preview", "Gemini 3.1 Pro"),
    "declared": (lab.DECLARED, "My coder"),
}
CONTEXT, OUTPUT = 131_072, 32_000


@dataclass(frozen=True)
class Trial:
    """How a client runs without a person: see trials.toml."""

    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    shell: list[int] = field(default_factory=list)
    install: list[str] = field(default_factory=list)
    hello: list[str] = field(default_factory=list)
    program: str = ""
    models: list[str] = field(default_factory=lambda: list(MODELS))
    edit_only: bool = False


def trials() -> dict[str, Trial]:
    """trials.toml."""
    return {name: Trial(**row) for name, row in tomllib.loads((HERE / "trials.toml").read_text()).items()}


@dataclass
class Bench:
    """One run of the whole: server, provider's journal, a folder for everything."""

    origin: str
    key: str
    journal: Journal
    folder: Path
    verbose: bool

    def run(self, client: Client, trial: Trial, name: str, installed: Path) -> dict[str, Any]:
        """One client with one model: the result's row."""
        model, title = MODELS[name]
        place = self.folder / f"{client.id}-{name}"
        home, work = place / "home", place / "work"
        home.mkdir(parents=True)
        work.mkdir()
        proof = secrets.token_hex(4)
        (work / "notes.txt").write_text(script.notes())
        (work / "check.sh").write_text(script.check(proof))
        connection = Connection(
            origin=self.origin, key=self.key, model=model, name=title, context=CONTEXT, max_output=OUTPUT
        )
        places = {**connection.places(), "prompt": script.prompt(work), "home": str(home), "work": str(work)}
        places |= {"here": str(HERE), "install": str(installed)}
        env = {"PATH": lab.search_path(installed), "HOME": str(home), "LANG": "C.UTF-8", "TMPDIR": str(place)}
        env |= {k: _filled(v, places) for k, v in trial.env.items()}
        env |= {k: shown(v, connection) for step in client.steps for k, v in step.env.items()}
        for step in client.steps:
            if step.file:
                target = home / step.file[2:] if step.file.startswith("~/") else work / step.file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(shown(step.text, connection))
        if trial.program:
            shutil.copy(HERE / "programs" / trial.program, installed)
        self.journal.take()
        started = time.monotonic()
        greeted = self._greeted(client, trial, connection, env, installed)
        for i in trial.shell:
            lab.bounded(["sh", "-ec", shown(client.steps[i].text, connection)], env, work, LIMIT_S)
        code, output = lab.bounded([_filled(word, places) for word in trial.argv], env, work, LIMIT_S)
        lines = self.journal.take()
        result = greeted or _verdict(code, output, work, proof, lines, edit_only=trial.edit_only)
        if self.verbose and result != "ok":
            print(output[-3000:])
            for line in lines:
                print(json.dumps({**line, "body": None})[:600])
        (place / "journal.json").write_text(json.dumps(lines, indent=1))
        return {
            "result": result,
            "wires": sorted({line["wire"] for line in lines}),
            "seconds": round(time.monotonic() - started),
            "date": time.strftime("%Y-%m-%d"),
            "version": client.version,
            "complaints": sorted({c for line in lines for c in line["complaints"]})[:5],
        }


    def _greeted(
        self, client: Client, trial: Trial, connection: Connection, env: dict[str, str], installed: Path
    ) -> str:
        """Runs the settings of a library as the program that they are; why it failed, or nothing."""
        if not trial.hello:
            return ""
        text = shown(client.steps[-1].text, connection)
        (installed / trial.hello[-1]).write_text(text)
        code, output = lab.bounded(trial.hello, env, installed, LIMIT_S)
        return "" if script.GREETING in output else f"failed: the settings as they stand: {code}: {output[-160:].strip()}"


def _filled(text: str, places: Mapping[str, str]) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda found: places[found[1]], text)


def _verdict(
    code: int | None, output: str, work: Path, proof: str, lines: list[dict[str, Any]], *, edit_only: bool
) -> str:
    """`ok`, or why not."""
    edited = (work / "notes.txt").read_text() == f"{script.AFTER}\n{script.REST}"
    if edited and (edit_only or f"DONE proof-{proof}" in output):
        return "ok"
    refused = next((line["refused"] for line in lines if line["refused"]), None)
    if refused:
        return f"failed: the provider refused: {refused}"
    done = "file edited" if edited else f"{len(lines)} calls, file not edited"
    how = f"still running after {LIMIT_S} s" if code is None else f"ended with {code}"
    said = [line.strip() for line in output.splitlines() if re.search(r"error|\b4\d\d\b|\b5\d\d\b|fail", line, re.I)]
    return f"failed: {done}, {how}: {(said or output.strip().splitlines() or [''])[-1][:160]}"


def main() -> int:
    """Runs the named clients, or all; 1 if one failed that had not failed before."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the server and a client's group end with us
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clients", nargs="*", help="ids of connect/clients.toml")
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    parser.add_argument("--table", action="store_true", help="only write docs/compatibility.md from the results")
    parser.add_argument("--keep", action="store_true", help="leave the folder of the runs")
    parser.add_argument("--verbose", action="store_true")
    given = parser.parse_args()
    known = trials()
    chosen = [c for c in clients() if c.id in known and (not given.clients or c.id in given.clients)]
    results, worse = report.load(), 0
    folder = Path(tempfile.mkdtemp(prefix="clients-"))
    if not given.table:
        with provider() as (upstream, journal), lab.market(upstream, folder / "data") as (origin, key):
            bench = Bench(origin, key, journal, folder, given.verbose)
            for client in chosen:
                worse += _client(bench, client, known[client.id], given.models, results)
                report.save(results)
    report.write(clients(), results)
    if given.keep:
        print(folder)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if worse else 0


def _client(bench: Bench, client: Client, trial: Trial, models: list[str], results: dict[str, Any]) -> int:
    """Installs and runs one client; returns how many results are worse than they were."""
    worse = 0
    rows = results.setdefault(client.id, {})
    try:
        installed = lab.install(client.id, client.package, client.version, trial.install)
    except lab.Failed as e:
        print(f"{client.id}: not installed: {e}", flush=True)
        return 1
    for name in [m for m in trial.models if m in models]:
        row = bench.run(client, trial, name, installed)
        worse += row["result"] != "ok" and rows.get(name, {}).get("result") == "ok"
        rows[name] = row
        print(f"{client.id:14} {name:9} {row['seconds']:4} s  {row['result']}  {row['complaints'] or ''}", flush=True)
    return worse


if __name__ == "__main__":
    sys.exit(main())
