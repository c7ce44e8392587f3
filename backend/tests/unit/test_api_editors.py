"""The extension as the server hands it out: the build's bytes under their version, and words where there is none."""

import json
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from agent_marketplace.api import editors, envelope


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(editors, "FOLDER", tmp_path)
    app = FastAPI(docs_url=None)
    envelope.install(app)
    app.include_router(editors.router)
    return TestClient(app)


def test_the_extension_comes_with_its_version_and_a_name_to_save_it_under(
    client: TestClient, tmp_path: Path
) -> None:
    told = {"id": "a.b", "version": "1.2.3", "engine": "^1.104.0"}
    (tmp_path / "version.json").write_text(json.dumps(told))
    (tmp_path / "extension.vsix").write_bytes(b"PK")
    got = client.get("/editors/vscode")
    assert (got.status_code, got.content, got.headers["content-type"]) == (200, b"PK", "application/vsix")
    assert got.headers["x-extension-version"] == "1.2.3"
    assert 'filename="agent-marketplace-1.2.3.vsix"' in got.headers["content-disposition"]
    assert client.get("/editors/vscode/version").json() == {"success": True, **told}


@pytest.mark.parametrize("path", ["/editors/vscode", "/editors/vscode/version"])
def test_a_server_without_the_ui_says_why_there_is_no_extension(client: TestClient, path: str) -> None:
    refused = client.get(path)
    assert refused.status_code == 404
    assert "make setup" in refused.json()["error"]
