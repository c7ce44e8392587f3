"""An author's examples, run by the program that authors run: within the budget, and an answer that lacks a word is told."""

import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.fakes.server import AGENTS, PAID, Client, Server, agreed, running
from tests.fakes.upstream import Behaviour

PROGRAM = Path(__file__).parents[3] / "bench" / "agents" / "examples.py"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


def tried(server: Server, key: Client, tmp_path: Path, budget: str) -> tuple[int, list[dict[str, str]]]:
    place = tmp_path / "tried.json"
    given = ["--url", server.url, "--key", key.credential or "", "--budget", budget, "--json", str(place)]
    done = subprocess.run([sys.executable, PROGRAM, *given], capture_output=True, text=True, timeout=120)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(place.read_text())


def test_examples_are_run_within_the_budget_and_a_missing_word_fails(server: Server, tmp_path: Path) -> None:
    ada = server.person()
    agreed(ada.call("PUT", f"{AGENTS}/publisher", {"handle": "ada-examples"}))
    examples = [{"input": "2+2?", "expects": ["FOUR"]}, {"input": "3+3?", "expects": ["six"]}]
    version = {"name": "Reckoner", "model": PAID, "licence": "MIT", "examples": examples}
    agreed(ada.post(f"{AGENTS}/offered", {"slug": "reckoner", "version": version}))
    server.upstream.script(Behaviour(text="It is four ."))
    key = server.key(ada)
    code, found = tried(server, key, tmp_path, "1")
    assert (code, [o["outcome"] for o in found]) == (1, ["passed", "failed"])
    assert found[1]["why"] == "lacks six"
    assert 0 < sum(Decimal(o["cost"]) for o in found) <= 1
    code, found = tried(server, key, tmp_path, "0.000001")
    assert (code, {o["outcome"] for o in found}) == (0, {"not_run"})
    assert sum(Decimal(o["cost"]) for o in found) == 0
