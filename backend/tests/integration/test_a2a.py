"""A2A under the official SDK's client, which nobody here wrote: cards, both bindings, streams, leave for calls, cancel, 0.3."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.client.client import Client as A2A
from a2a.client.errors import A2AClientError
from a2a.types import a2a_pb2 as pb
from a2a.utils.errors import (
    A2AError,
    InvalidParamsError,
    PushNotificationNotSupportedError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
)

from tests.fakes.server import AGENTS, PAID, Client, Server, agreed, running
from tests.fakes.tool_turns import calling
from tests.fakes.upstream import Behaviour

ANSWER = "It is 42 . "
SUM = ("calculator", '{"expression": "6*7"}')
S = pb.TaskState
BINDINGS = ("JSONRPC", "HTTP+JSON")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Newcomers have six tenths of a cent."""
    given = {"MARKETPLACE_A2A_0_3": "on", "MARKETPLACE_SIGNUP_CREDIT": "0.006"}
    with running(tmp_path_factory.mktemp("home"), **given) as found:
        yield found


@pytest.fixture(scope="module")
def ada(server: Server) -> Client:
    return server.rich("5")


@pytest.fixture(scope="module")
def key(server: Server, ada: Client) -> Client:
    return server.key(ada)


@pytest.fixture(scope="module")
def path(ada: Client) -> str:
    """An offered agent; its calls need leave."""
    agreed(ada.call("PUT", f"{AGENTS}/publisher", {"handle": "ada-a2a"}))
    tools = [{"server": "builtin", "tool": "calculator", "policy": "ask"}]
    version = {
        "name": "Reckoner", "summary": "Reckons", "model": PAID, "licence": "MIT", "tools": tools, "category": "data",
        "starters": ["What is 6 times 7?"], "instructions": "canary instructions",
        "price": {"fee_run": 0.001, "max_fee": 0.001},
    }  # fmt: skip
    made = agreed(ada.post(f"{AGENTS}/offered", {"slug": "reckoner", "version": version}))
    submitted = f"{AGENTS}/offered/{made['agent']['id']}/versions/1/submit"
    agreed(ada.post(submitted, {"visibility": "unlisted"}))
    return "ada-a2a/reckoner"


@pytest.fixture(scope="module")
def plain(ada: Client) -> str:
    """One's own preset; its calls need nobody's leave."""
    parameters = {"agent": {"tools": ["calculator"]}}
    made = agreed(ada.post(f"{AGENTS}/agents", {"name": "Mine", "model": PAID, "parameters": parameters}))
    return f"own/{made['agent']['id']}"


@contextlib.asynccontextmanager
async def connected(
    server: Server,
    key: Client,
    path: str,
    binding: str = "JSONRPC",
    *,
    streaming: bool = True,
    old: bool = False,
) -> AsyncIterator[A2A]:
    headers = {"authorization": f"Bearer {key.credential}"}
    async with httpx.AsyncClient(headers=headers, timeout=60) as http:
        card = await A2ACardResolver(http, f"{server.url}/a2a/{path}").get_agent_card()
        if old:
            kept = [i for i in card.supported_interfaces if i.protocol_version == "0.3"]
            del card.supported_interfaces[:]
            card.supported_interfaces.extend(kept)
        config = ClientConfig(
            httpx_client=http,
            streaming=streaming,
            supported_protocol_bindings=[binding],
            use_client_preference=True,
        )
        yield ClientFactory(config).create(card)


def message(text: str, number: str, **given: Any) -> pb.SendMessageRequest:
    said = pb.Message(message_id=number, role=pb.ROLE_USER, parts=[pb.Part(text=text)], **given)
    return pb.SendMessageRequest(message=said)


async def sent(client: A2A, request: pb.SendMessageRequest) -> list[pb.StreamResponse]:
    return [event async for event in client.send_message(request)]


def told(events: list[pb.StreamResponse]) -> str:
    """The text of the last artifact, as a client that appends puts it together."""
    found: dict[str, str] = {}
    for event in events:
        for artifact in [
            *event.task.artifacts,
            *([event.artifact_update.artifact] if event.HasField("artifact_update") else []),
        ]:
            found[artifact.artifact_id] = found.get(artifact.artifact_id, "") + "".join(
                p.text for p in artifact.parts
            )
    return list(found.values())[-1] if found else ""


def run(work: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(work())  # type: ignore[arg-type]


@pytest.mark.parametrize("streaming", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("binding", BINDINGS)
def test_the_sdk_runs_an_agent_and_reads_its_task(
    server: Server, key: Client, plain: str, binding: str, streaming: bool
) -> None:
    server.upstream.script(calling(SUM), Behaviour(text="It is 42 ."))

    async def work() -> None:
        async with connected(server, key, plain, binding, streaming=streaming) as client:
            events = await sent(client, message("What is 6 times 7?", f"m-{binding}-{streaming}"))
            assert told(events) == ANSWER
            last = events[-1]
            state = last.status_update.status.state if streaming else last.task.status.state
            assert state == S.TASK_STATE_COMPLETED
            task = await client.get_task(pb.GetTaskRequest(id=events[0].task.id))
            assert task.artifacts[-1].parts[0].text == ANSWER
            assert task.history[0].parts[0].text == "What is 6 times 7?"
            assert 0 < task.metadata["cost"] < 0.5
            stranger = server.key(server.person())
            for method in ("GetTask", "CancelTask", "SubscribeToTask"):
                ask = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"id": task.id}}
                assert stranger.post(f"/a2a/{plain}", ask, a2a_version="1.0").json["error"]["code"] == -32001
            if streaming:
                notes = [
                    e.status_update.status.message.parts[0].text
                    for e in events[1:-1]
                    if e.HasField("status_update")
                ]
                assert notes == ["[calculator]"]
            with pytest.raises(UnsupportedOperationError):
                await sent(client, message("More", "m-more", task_id=task.id))
            listed = await client.list_tasks(pb.ListTasksRequest(page_size=1))
            assert [t.id for t in listed.tasks] == [task.id]
            with pytest.raises(TaskNotCancelableError):
                await client.cancel_task(pb.CancelTaskRequest(id=task.id))

    run(work)


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_call_that_needs_leave_is_asked_for_and_made_only_for_what_was_shown(
    server: Server, ada: Client, key: Client, path: str, binding: str
) -> None:
    server.upstream.script(
        calling(SUM), calling(("calculator", '{"expression": "6*8"}')), Behaviour(text="It is 42 .")
    )

    async def work() -> None:
        async with connected(server, key, path, binding) as client:
            events = await sent(client, message("What is 6 times 7?", f"leave-{binding}"))
            status = events[-1].status_update.status
            assert status.state == S.TASK_STATE_INPUT_REQUIRED
            words, data = status.message.parts
            assert "6*7" in words.text
            task_id = events[0].task.id
            code = words.text.partition("`allow ")[2][:8]
            for wrong in ("yes please", f"allow {code[::-1]}" if code != code[::-1] else "allow 00000000"):
                with pytest.raises(InvalidParamsError):
                    await sent(client, message(wrong, "x", task_id=task_id))
            second = await sent(client, message(f"allow {code}", f"yes-{binding}", task_id=task_id))
            status = second[-1].status_update.status
            assert status.state == S.TASK_STATE_INPUT_REQUIRED
            assert "6*8" in status.message.parts[0].text
            with pytest.raises(InvalidParamsError):  # a yes to the first call is none to the second
                await sent(client, message(f"allow {code}", "again", task_id=task_id))
            (asked,) = status.message.parts[1].data.struct_value["approvals"]
            given = {
                "approvals": [
                    {"approval_id": asked["approval_id"], "subject": asked["subject"], "allow": False}
                ]
            }
            part = pb.Part()
            part.data.struct_value.update(given)
            no = pb.Message(message_id=f"no-{binding}", role=pb.ROLE_USER, parts=[part], task_id=task_id)
            third = await sent(client, pb.SendMessageRequest(message=no))
            assert third[-1].status_update.status.state == S.TASK_STATE_COMPLETED
            assert told(third) == ANSWER
            assert data.media_type == "application/json"
            made = agreed(ada.get(f"{AGENTS}/runs/{task_id}"))["run"]
            assert [s["state"] for s in made["steps"] if s["kind"] == "tool"] == ["done", "denied"]

    run(work)


def test_a_hang_up_leaves_a_task_at_work_and_cancel_ends_it(server: Server, key: Client, plain: str) -> None:
    server.upstream.script(calling(SUM), Behaviour(text="It is 42 .", stepped=True))

    async def work() -> None:
        async with connected(server, key, plain) as client:
            stream = client.send_message(message("What is 6 times 7?", "hang-up"))
            task_id = (await anext(aiter(stream))).task.id
            await stream.aclose()  # type: ignore[attr-defined]
            assert (await client.get_task(pb.GetTaskRequest(id=task_id))).status.state == S.TASK_STATE_WORKING
            with pytest.raises(UnsupportedOperationError):
                await sent(client, message("More", "m-more", task_id=task_id))
            again = client.subscribe(pb.SubscribeToTaskRequest(id=task_id))
            assert (await anext(aiter(again))).task.id == task_id
            ended = await client.cancel_task(pb.CancelTaskRequest(id=task_id))
            assert ended.status.state == S.TASK_STATE_CANCELED
            rest = [event async for event in again]
            assert rest[-1].status_update.status.state == S.TASK_STATE_CANCELED

    run(work)


def test_a_task_whose_wallet_is_empty_waits_for_money_and_then_goes_on(server: Server) -> None:
    poor = server.person()
    parameters = {"agent": {"tools": ["calculator"]}}
    made = agreed(poor.post(f"{AGENTS}/agents", {"name": "Poor", "model": PAID, "parameters": parameters}))
    counting = [calling(("calculator", f'{{"expression": "{i}"}}'), usage=(60, 4_000)) for i in range(9)]
    server.upstream.script(*counting)

    async def work() -> None:
        async with connected(
            server, server.key(poor), f"own/{made['agent']['id']}", streaming=False
        ) as client:
            (short,) = await sent(client, message("Count", "funds-1"))
            assert short.task.status.state == S.TASK_STATE_AUTH_REQUIRED
            (still,) = await sent(client, message("Go on", "funds-2", task_id=short.task.id))
            assert still.task.status.state == S.TASK_STATE_AUTH_REQUIRED, "words alone are no money"
            granted = await asyncio.to_thread(server.command, "user", "grant", poor.email, "1")
            assert granted.returncode == 0, granted.stderr
            server.upstream.script(Behaviour(text="Enough ."))
            (done,) = await sent(client, message("Go on", "funds-3", task_id=short.task.id))
            assert done.task.status.state == S.TASK_STATE_COMPLETED
            assert done.task.metadata["cost"] > 0.0048

    run(work)


def test_a_message_sent_twice_begins_one_task_and_a_context_goes_on(
    server: Server, key: Client, plain: str
) -> None:
    server.upstream.script(Behaviour(text="I am called Hal ."))

    async def work() -> None:
        async with connected(server, key, plain, streaming=False) as client:
            (first,) = await sent(client, message("Call yourself Hal", "ctx-1"))
            (same,) = await sent(client, message("Call yourself Hal", "ctx-1"))
            assert same.task.id == first.task.id
            (other,) = await sent(client, message("Your name?", "ctx-2", context_id=first.task.context_id))
            assert other.task.id != first.task.id
            assert other.task.context_id == first.task.context_id
            said = [m.parts[0].text for m in other.task.history]
            assert said == ["Call yourself Hal", "I am called Hal . ", "Your name?"]

    run(work)


def test_a_cap_is_asked_for_more_and_goes_on(server: Server, key: Client, plain: str) -> None:
    server.upstream.script(
        *[calling(("calculator", f'{{"expression": "{i}"}}'), usage=(2_000, 4_000)) for i in range(9)]
    )

    async def work() -> None:
        async with connected(server, key, plain, streaming=False) as client:
            request = message("Count", "cap-1")
            request.metadata.update({"cap": 0.006})
            (paused,) = await sent(client, request)
            assert paused.task.status.state == S.TASK_STATE_INPUT_REQUIRED
            assert "cap" in paused.task.status.message.parts[0].text
            server.upstream.script(Behaviour(text="Enough ."))
            more = message("Go on", "cap-2", task_id=paused.task.id)
            more.metadata.update({"cap": 1})
            (done,) = await sent(client, more)
            assert done.task.status.state == S.TASK_STATE_COMPLETED
            assert done.task.metadata["cap"] == 1

    run(work)


def test_a_client_of_0_3_is_served_where_the_operator_says_so(server: Server, key: Client, path: str) -> None:
    server.upstream.script(calling(SUM), Behaviour(text="It is 42 ."))

    async def work() -> None:
        async with connected(server, key, path, old=True) as client:
            events = await sent(client, message("What is 6 times 7?", "old-1"))
            status = events[-1].status_update.status
            assert status.state == S.TASK_STATE_INPUT_REQUIRED
            code = status.message.parts[0].text.partition("`allow ")[2][:8]
            done = await sent(client, message(f"allow {code}", "old-2", task_id=events[0].task.id))
            assert done[-1].status_update.status.state == S.TASK_STATE_COMPLETED
            task = await client.get_task(pb.GetTaskRequest(id=events[0].task.id))
            assert task.artifacts[-1].parts[0].text == ANSWER

    run(work)


def test_the_card_says_price_tools_and_key_and_nothing_of_the_instructions(server: Server, path: str) -> None:
    answer = server.anybody.get(f"/a2a/{path}/.well-known/agent-card.json")
    card = answer.json
    assert "canary" not in answer.text
    (terms,) = card["capabilities"]["extensions"]
    assert terms["params"]["tools"] == ["builtin/calculator"]
    assert float(terms["params"]["fee_run"]) == 0.001
    whole = server.anybody.get("/.well-known/agent-card.json").json
    assert {s["id"] for s in whole["skills"]} >= {"operator/code-reviewer"}


def test_strangers_wrong_names_and_wrong_revisions_get_nothing(
    server: Server, key: Client, path: str, plain: str
) -> None:
    other = server.key(server.person())
    mine = f"/a2a/{plain}"
    assert other.get(f"{mine}/.well-known/agent-card.json").status == 404
    assert server.anybody.get(f"{mine}/.well-known/agent-card.json").status == 401
    ask = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {}}
    assert server.anybody.post(mine, ask, a2a_version="1.0").status == 401
    wrong = key.post(mine, ask, a2a_version="2.0").json["error"]
    assert (wrong["code"], "1.0" in wrong["message"]) == (-32009, True)
    assert key.post(mine, {**ask, "method": "Nothing"}, a2a_version="1.0").json["error"]["code"] == -32601
    assert key.post(mine, [ask], a2a_version="1.0").json["error"]["code"] == -32600
    assert key.post(mine, ask, a2a_version="1.0").json["error"]["code"] == -32602
    said = {"message": {"messageId": "s", "role": "ROLE_USER", "parts": [{"text": "Hi"}]}}
    refused = other.post(f"/a2a/{path}", {**ask, "params": said}, a2a_version="1.0").json["error"]
    assert refused["data"][0]["reason"] == "CONSENT_REQUIRED"
    assert other.post(f"/a2a/{path}/message:send", said, a2a_version="1.0").status == 403

    async def work() -> None:
        async with connected(server, key, plain, streaming=False) as client:
            with pytest.raises(TaskNotFoundError):
                await client.get_task(pb.GetTaskRequest(id="run_nothing"))
            push = message("Hi", "push")
            push.configuration.task_push_notification_config.url = "https://example.com/"
            with pytest.raises(PushNotificationNotSupportedError):
                await sent(client, push)
            file = pb.Part(raw=b"x", media_type="application/zip")
            said = pb.Message(message_id="f", role=pb.ROLE_USER, parts=[file])
            with pytest.raises((A2AError, A2AClientError)):
                await sent(client, pb.SendMessageRequest(message=said))

    run(work)
