"""The built web UI over HTTP: packed files, the page's policy, and who may frame it."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from agent_marketplace.api import ui
from agent_marketplace.settings import SettingsError, load


@pytest.fixture
def web(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    for name in ("index.html", "assets/page.js"):
        (tmp_path / name).write_bytes(b"plain")
        (tmp_path / f"{name}.gz").write_bytes(b"by gzip")
        (tmp_path / f"{name}.br").write_bytes(b"by brotli")
    return tmp_path


def serving(web: Path, ancestors: str = "") -> TestClient:
    app = FastAPI(docs_url=None)
    ui.install(app, web, frame_ancestors=load({"MARKETPLACE_FRAME_ANCESTORS": ancestors}).frame_ancestors)
    return TestClient(app)


@pytest.mark.parametrize(
    ("accepted", "coding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", b"by brotli"),
        ("gzip", "gzip", b"by gzip"),
        ("br;q=0, gzip", "gzip", b"by gzip"),
        ("identity", None, b"plain"),
    ],
)
def test_a_browser_gets_the_smallest_form_it_can_read(
    web: Path, accepted: str, coding: str | None, body: bytes
) -> None:
    with serving(web).stream("GET", "/assets/page.js", headers={"accept-encoding": accepted}) as answer:
        assert (answer.headers.get("content-encoding"), b"".join(answer.iter_raw())) == (coding, body)
        assert answer.headers["vary"] == "accept-encoding"


def test_an_operator_says_who_may_frame_the_page_and_nothing_else_of_its_policy_changes(web: Path) -> None:
    headers = {"accept-encoding": "identity"}
    own = serving(web).get("/chat", headers=headers).headers["content-security-policy"]
    named = serving(web, "https://Wiki.example.com/, vscode-webview:").get("/chat", headers=headers)
    assert own.endswith("frame-ancestors 'self'")
    assert named.headers["content-security-policy"] == f"{own} https://wiki.example.com vscode-webview:"


def test_what_a_model_drew_has_no_origin_no_network_and_the_page_s_own_policy_stays(web: Path) -> None:
    (web / "diagram.html").write_bytes(b"frame")
    served = serving(web, "https://wiki.example.com")
    headers = {"accept-encoding": "identity"}
    frame = served.get("/diagram.html", headers=headers).headers["content-security-policy"]
    assert {"default-src 'none'", "script-src 'self'", "sandbox allow-scripts"} <= set(frame.split("; "))
    assert frame.endswith("frame-ancestors 'self' https://wiki.example.com")
    assert "unsafe" not in served.get("/", headers=headers).headers["content-security-policy"]


@pytest.mark.parametrize(
    "wrong", ["https://a.example; script-src *", "a.example", "https://a b.example", "'none'", "https://*"]
)
def test_no_ancestor_can_write_another_directive(wrong: str) -> None:
    with pytest.raises(SettingsError, match="MARKETPLACE_FRAME_ANCESTORS"):
        load({"MARKETPLACE_FRAME_ANCESTORS": wrong})
