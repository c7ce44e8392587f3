"""Base URLs as people write them: a forgotten or doubled version must not be a provider that answers 404 to everything."""

from pathlib import Path

import pytest

from agent_marketplace.providers.addresses import based
from agent_marketplace.providers.endpoints import EndpointTable, ollama_url
from agent_marketplace.providers.table import ROWS
from agent_marketplace.settings import load

BOX = "http://box:8000"


@pytest.mark.parametrize(
    "tail",
    ["", "/", "/v1", "/v1/", "//v1", "/v1/v1", "/v1/chat/completions", "/v1/responses", "/chat/completions"],
)
@pytest.mark.parametrize("wire", ["openai", "responses"])
def test_a_server_that_speaks_openais_wires_has_one_base_however_it_is_written(tail: str, wire) -> None:
    assert based(BOX + tail, wire) == f"{BOX}/v1"
    assert based(f"{BOX}/openai{tail}", wire) == f"{BOX}/openai/v1"


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v1/", "/v1/v1", "/v1/messages"])
def test_the_version_stands_in_anthropics_paths(tail: str) -> None:
    assert based(BOX + tail, "anthropic") == BOX
    assert (
        based(f"https://api.deepseek.com/anthropic{tail}", "anthropic")
        == "https://api.deepseek.com/anthropic"
    )


@pytest.mark.parametrize("tail", ["", "/", "/v1beta", "/v1beta/v1beta", "/v1", "/v1beta/models"])
def test_the_version_stands_in_geminis_paths(tail: str) -> None:
    assert based(BOX + tail, "gemini") == BOX


@pytest.mark.parametrize(
    "host", ["box:8000", "http://box:8000/", "http://box:8000/v1", "http://box:8000/api", "box:8000/api/chat"]
)
def test_an_ollama_is_found_by_its_openai_address_too(host: str) -> None:
    assert ollama_url(host) == BOX


@pytest.mark.parametrize(
    "url",
    [
        "https://models.github.ai/inference", "https://x.services.ai.azure.com/models", "https://x.openai.azure.com/openai/v1",
        "https://api.z.ai/api/coding/paas/v4", "https://gateway.ai.cloudflare.com/v1/account/name/openai",
    ],
)  # fmt: skip
def test_a_base_that_has_its_version_elsewhere_or_none_stays(url: str) -> None:
    assert based(url, "openai") == url


def test_what_ends_in_the_mark_is_taken_as_it_stands() -> None:
    assert based(f"{BOX}/api#", "openai") == f"{BOX}/api"
    assert based(f"{BOX}/v1/v1#", "openai") == f"{BOX}/v1/v1"
    assert based("odd", "openai") == "odd"


@pytest.mark.parametrize("row", [r for r in ROWS if r.name != "ollama"], ids=lambda r: r.name)
def test_every_providers_setting_takes_its_server_with_and_without_a_version(row, tmp_path: Path) -> None:
    _, variable = row.variables

    def at(url: str) -> str:
        env = {"MARKETPLACE_DATA_DIR": str(tmp_path), variable: url}
        found = EndpointTable(load(env), env).get(row.name)
        assert found is not None
        return found.base_url

    assert at(row.base_url) == at(row.base_url + "/") == row.base_url
    versioned = row.wire == "openai" and row.name != "perplexity"
    assert at(BOX) == (f"{BOX}/v1" if versioned else BOX)
    if versioned:
        assert at(f"{BOX}/v1") == at(f"{BOX}/v1/v1") == f"{BOX}/v1"
        public = "/".join(row.base_url.split("/")[:3])
        assert at(public) == row.base_url, "of its own host the whole path is known"


def test_declared_servers_take_them_too(tmp_path: Path) -> None:
    (tmp_path / "providers.toml").write_text(f'[[provider]]\nname = "mine"\nbase_url = "{BOX}"\n')
    found = EndpointTable(load({"MARKETPLACE_DATA_DIR": str(tmp_path)}), {}).get("mine")
    assert found is not None
    assert found.base_url == f"{BOX}/v1"
