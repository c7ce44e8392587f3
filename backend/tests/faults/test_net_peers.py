"""Workers that ask each other: what only one of them can answer is found, and one that is dead or slow holds nobody up."""

import asyncio
import functools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from agent_marketplace.net.http import OutboundClient, OutboundRequest, OutboundResponse
from agent_marketplace.net.lean_client import LeanClient
from agent_marketplace.net.peers import HEADER, Peers, introduced

TOKEN = "of-this-server"
MISSING = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
CUT = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nonly"
Worker = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


def in_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    @functools.wraps(test)
    def run() -> None:
        asyncio.run(test())

    return run


def says(answer: bytes) -> Worker:
    async def answered(_head: str, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return answered


def found(body: bytes) -> Worker:
    return says(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))


async def silent(_head: str, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


class Known(OutboundResponse):
    """An answer that says whether it was let go."""

    def __init__(self) -> None:
        self.status, self.headers, self.framed, self.let_go = 200, {}, True, False

    def chunks(self) -> AsyncIterator[bytes]:
        raise NotImplementedError

    def cancel(self) -> None:
        self.let_go = True


@asynccontextmanager
async def workers(*them: Worker) -> AsyncIterator[tuple[Peers, OutboundClient]]:
    async with AsyncExitStack() as stack:
        ports, tasks = [], set[asyncio.Task[None]]()
        for worker in them:

            async def serve(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, worker: Worker = worker
            ) -> None:
                tasks.add(asyncio.current_task())  # type: ignore[arg-type]
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                try:
                    await worker(head, writer)
                finally:
                    writer.close()

            server = await stack.enter_async_context(await asyncio.start_server(serve, "127.0.0.1", 0))
            ports.append(server.sockets[0].getsockname()[1])
        client = LeanClient()
        try:
            yield Peers(tuple(ports), TOKEN, []), client
        finally:
            await client.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def a_dead_workers_port() -> int:
    with socket.socket() as gone:
        gone.bind(("127.0.0.1", 0))
        port: int = gone.getsockname()[1]
    return port


@in_a_loop
async def test_the_worker_that_has_it_answers_whatever_the_others_do() -> None:
    async with workers(says(MISSING), silent, found(b"here")) as (peers, client):
        among = Peers((a_dead_workers_port(), *peers.ports), TOKEN, [])
        answer = await among.pass_on(client, "GET", "/runs/run_1/events", {"authorization": "Bearer it"})
        assert answer is not None
        assert await answer.read(100) == b"here"


@in_a_loop
async def test_what_no_worker_has_is_nobodys() -> None:
    async with workers(says(MISSING), says(MISSING)) as (peers, client):
        assert (
            await Peers((a_dead_workers_port(), *peers.ports), TOKEN, []).pass_on(client, "POST", "/stop", {})
            is None
        )


@in_a_loop
async def test_of_two_that_answer_at_once_one_is_kept_and_the_other_let_go() -> None:
    answers = [Known(), Known()]
    waiting = iter(answers)

    class AtOnce:
        async def send(self, _request: OutboundRequest) -> OutboundResponse:
            return next(waiting)

        async def close(self) -> None:
            return

    kept = await Peers((1, 2), TOKEN, []).pass_on(AtOnce(), "GET", "/", {})
    assert [answer.let_go for answer in answers] == [answer is not kept for answer in answers]
    assert kept in answers


@in_a_loop
async def test_every_request_finds_the_other_workers() -> None:
    peers, seen = Peers((1,), TOKEN, []), list[Any]()

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["peers"])

    await introduced(app, peers)({"type": "http"}, None, None)  # type: ignore[arg-type, typeddict-item]
    assert seen == [peers]


@in_a_loop
async def test_a_question_carries_the_servers_token_and_the_callers_credentials() -> None:
    heads: list[str] = []

    async def note(head: str, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        await found(b"")(head, writer)

    async with workers(note) as (peers, client):
        await peers.pass_on(client, "GET", "/x", {"authorization": "Bearer it"})
    assert f"{HEADER}: {TOKEN}\r\n" in heads[0]
    assert "authorization: Bearer it\r\n" in heads[0]


@pytest.mark.parametrize("sent", [{}, {HEADER: "guessed"}, {HEADER: "é"}])
def test_a_stranger_is_not_taken_for_a_worker(sent: dict[str, str]) -> None:
    peers = Peers((), TOKEN, [])
    assert not peers.asks(sent)
    assert peers.asks({HEADER: TOKEN})


@in_a_loop
async def test_sums_leave_out_who_is_dead_slow_or_breaks_off() -> None:
    async with workers(found(b"1"), silent, says(MISSING), says(CUT), found(b"2")) as (peers, client):
        assert await Peers((a_dead_workers_port(), *peers.ports), TOKEN, []).ask_all(client, "/metrics") == [
            b"1",
            b"2",
        ]
