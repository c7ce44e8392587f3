"""The table of clients' settings: whatever a text is filled with, what is copied is what the program reads."""

import importlib.util
import json
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from agent_marketplace.connect import Client, Connection, Step, clients, shown

ROOT = Path(__file__).parents[3]
ODD = Connection(
    origin="http://127.0.0.1:8000",
    key="sk-aam-1",
    model="vendor/model:free",
    name='GPT-4 "Turbo": fast\\',
    context=128_000,
    max_output=4096,
    vision=True,
)
STEPS = [pytest.param(c, s, id=f"{c.id}-{i}") for c in clients() for i, s in enumerate(c.steps)]


def report() -> ModuleType:
    spec = importlib.util.spec_from_file_location("clients_report", ROOT / "bench" / "clients" / "report.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("client", "step"), STEPS)
def test_a_text_has_no_place_left_to_fill_in_by_hand(client: Client, step: Step) -> None:
    text = shown(step.template(), ODD)
    assert "${" not in text
    assert step.where


@pytest.mark.parametrize("client", clients(), ids=lambda c: c.id)
def test_settings_name_server_key_and_model_or_the_program_asks_another(client: Client) -> None:
    text = "".join(shown(step.template(), ODD) for step in client.steps)
    assert all(word in text for word in (ODD.origin, ODD.key, ODD.model))


@pytest.mark.parametrize(("client", "step"), STEPS)
def test_a_model_called_oddly_breaks_no_file(client: Client, step: Step) -> None:
    text = shown(step.template(), ODD)
    if step.text.lstrip().startswith(("{", "[")):
        assert ODD.model in json.dumps(json.loads(text)) or "security" in text
    elif step.file.endswith(".toml"):
        assert tomllib.loads(text)["model"] == ODD.model
    elif step.file.endswith(".yaml") and "name: ${name}" in step.text:
        assert f"name: {json.dumps(ODD.name)}" in text


def test_a_place_that_nobody_fills_is_no_text_to_copy() -> None:
    with pytest.raises(KeyError):
        shown("${origni}/v1", ODD)


def test_no_two_clients_share_an_id_that_a_command_is_told() -> None:
    ids = [c.id for c in clients()]
    assert len(set(ids)) == len(ids)


def test_a_shell_takes_a_key_with_odd_characters_as_one_word() -> None:
    step = Step(where="x", env={"A": "${key} b", "B": "${origin}/v1"}, text="run")
    assert step.template() == "export A='${key} b'\nexport B=${origin}/v1\nrun"


def test_every_client_is_either_tried_or_says_of_which_day_its_settings_are() -> None:
    for client in clients():
        tried_elsewhere = client.id in ("curl", "openai-python", "anthropic-python", "gemini-python")
        assert client.tried != bool(client.documented) or tried_elsewhere


def test_the_page_on_compatibility_shows_these_settings_and_results() -> None:
    found = report()
    page = found.DOCS.read_text(encoding="utf-8").partition(found.BEGIN)[2].partition(found.END)[0]
    assert page.strip() == found.rendered(clients(), found.load()).strip()
