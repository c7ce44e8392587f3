"""docs/providers.md says what the code does: a row that is missing or stale would send an operator to the wrong place."""

import re
from pathlib import Path

import msgspec

from agent_marketplace.providers.endpoints import EndpointTable, declared
from agent_marketplace.providers.table import ROWS
from agent_marketplace.rules.book import Traits
from agent_marketplace.settings import load

DOCUMENT = (Path(__file__).parents[3] / "docs/providers.md").read_text("utf-8")


def documented() -> dict[str, list[str]]:
    """Cells of the table of providers, by name."""
    part = DOCUMENT.partition("## Known providers")[2].partition("\n## ")[0]
    rows = [
        [cell.strip(" `") for cell in line.strip("|").split("|")]
        for line in part.splitlines()
        if line.startswith("| `")
    ]
    return {row[0]: row for row in rows}


def test_every_provider_is_documented_as_it_is_called() -> None:
    told = documented()
    assert list(told) == [row.name for row in ROWS]
    for row in ROWS:
        _, _, base_url, wire, auth, abort = told[row.name]
        assert (base_url, wire, auth, abort) == (row.base_url, row.wire, row.auth, row.abort), row.name


def test_the_variables_that_are_documented_are_the_ones_that_are_read() -> None:
    for name, (_, variables, *_) in documented().items():
        names = re.findall(r"[A-Z][A-Z0-9_]+", variables)
        env = {"MARKETPLACE_DATA_DIR": "/tmp", **dict.fromkeys(names, "http://127.0.0.1:9")}
        endpoint = EndpointTable(load(env), env).get(name)
        assert endpoint is not None
        assert "127.0.0.1:9" in endpoint.base_url, name
        assert endpoint.key or name in ("ollama", "vllm", "llamacpp", "lmstudio"), name


def test_the_odd_rules_that_are_documented_are_read_as_they_stand_there(tmp_path: Path) -> None:
    examples = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)
    (tmp_path / "providers.toml").write_text("\n".join(examples), "utf-8")
    told = declared(tmp_path / "providers.toml", {})
    assert [e.name for e in told.endpoints] == ["mine"]
    assert [row.name for row in told.rows] == ["provider mine", "mine-thinks", "claude-sampling"]
    assert told.rows[0].providers == {"mine"}


def test_everything_that_a_rule_can_say_is_documented() -> None:
    part = DOCUMENT.partition("## Rules")[2].partition("\n## ")[0]
    assert [f.name for f in msgspec.structs.fields(Traits) if f"`{f.name}`" not in part] == []
