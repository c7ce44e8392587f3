"""Where one model answers once, an agent with tools is not asked as if it had none."""

from collections.abc import Iterator

import pytest

from tests.fakes.server import AGENTS, PAID, Client, Server, agreed, refused, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="module")
def ada(server: Server) -> Client:
    return server.person()


@pytest.mark.parametrize("path", ["completion", "chat", "estimate"])
def test_an_agent_with_tools_is_refused_by_name_and_one_without_answers(ada: Client, path: str) -> None:
    made = {"name": "Reckoner", "model": PAID}
    bare = agreed(ada.post(f"{AGENTS}/agents", made))["agent"]["id"]
    tooled = agreed(
        ada.post(f"{AGENTS}/agents", {**made, "parameters": {"agent": {"tools": ["calculator"]}}})
    )["agent"]["id"]
    said = "message" if path == "chat" else "prompt"
    agreed(ada.post(f"{AGENTS}/{path}", {"model": bare, said: "Hi"}))
    for name in (tooled, "agent/operator/code-reviewer"):
        told = refused(ada.post(f"{AGENTS}/{path}", {"model": name, said: "Hi"}), 400, "agent_needs_run")
        assert name in told["error"]
    assert agreed(ada.get(f"{AGENTS}/runs"))["runs"] == []
