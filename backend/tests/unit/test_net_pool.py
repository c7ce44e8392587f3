"""The pool's count is never lost, its newest connection goes first, and a dead one never goes at all."""

import asyncio
import select
import socket
from dataclasses import dataclass, field

import pytest

from agent_marketplace.net.aiohttp_client import AiohttpClient
from agent_marketplace.net.drain import Drain
from agent_marketplace.net.errors import Busy, ConnectFailed
from agent_marketplace.net.factory import make_client
from agent_marketplace.net.http import OutboundRequest, Timeouts
from agent_marketplace.net.lean_client import LeanClient
from agent_marketplace.net.lean_connection import Connection
from agent_marketplace.net.lean_pool import Counts, Key, Pool
from agent_marketplace.settings import load

KEY: Key = ("https", "provider.test", 443, "8.8.8.8")
OTHER: Key = ("https", "provider.test", 443, "8.8.4.4")


@dataclass(eq=False)
class Fake:
    alive: bool = True
    rests: list[float] = field(default_factory=list)

    def usable(self, idle_s: float) -> bool:
        self.rests.append(idle_s)
        return self.alive

    def abort(self) -> None:
        self.alive = False


def pool(per_host: int = 2, keep_s: float = 30.0) -> Pool[Fake]:
    return Pool(asyncio.get_running_loop(), per_host=per_host, keep_s=keep_s)


def test_the_most_recent_connection_goes_first_and_only_to_its_own_key() -> None:
    async def go() -> None:
        it = pool()
        first, second = Fake(), Fake()
        for _ in range(2):
            assert await it.enter(KEY, 1) is None
        it.leave(KEY, first)
        it.leave(KEY, second)
        assert await it.enter(OTHER, 1) is None
        assert await it.enter(KEY, 1) is second
        assert await it.enter(KEY, 1) is first
        it.close()

    asyncio.run(go())


def test_a_dead_connection_is_passed_over() -> None:
    async def go() -> None:
        it = pool()
        living, dead = Fake(), Fake()
        for _ in range(2):
            await it.enter(KEY, 1)
        it.leave(KEY, living)
        it.leave(KEY, dead)
        dead.alive = False
        assert await it.enter(KEY, 1) is living
        it.close()

    asyncio.run(go())


def test_a_turn_goes_to_whoever_has_waited_longest_and_is_not_lost_with_a_caller_who_left() -> None:
    async def go() -> None:
        it = pool(per_host=1)
        await it.enter(KEY, 1)
        calls = [asyncio.create_task(it.enter(KEY, 5)) for _ in range(3)]
        await asyncio.sleep(0)
        calls[0].cancel()
        await asyncio.sleep(0)
        it.leave(KEY, None)
        assert await calls[1] is None
        assert not calls[2].done()
        it.leave(KEY, None)
        assert await calls[2] is None
        it.leave(KEY, None)
        assert it._places == {}

    asyncio.run(go())


@pytest.mark.parametrize("how", ["cancelled", "late"])
def test_a_turn_that_comes_together_with_the_callers_end_goes_on_to_the_next(how: str) -> None:
    async def go() -> None:
        it = pool(per_host=1)
        loop = asyncio.get_running_loop()
        await it.enter(KEY, 1)
        unlucky = asyncio.create_task(it.enter(KEY, 5 if how == "cancelled" else 0.05))
        lucky = asyncio.create_task(it.enter(KEY, 5))
        await asyncio.sleep(0)
        if how == "cancelled":
            it.leave(KEY, None)
            unlucky.cancel()
        else:
            due = loop.time() + 0.06
            while loop.time() < due:  # holds the loop, so that the deadline and the turn fall into one round
                pass
            loop.call_soon(it.leave, KEY, None)
        with pytest.raises((asyncio.CancelledError, ConnectFailed)):
            await unlucky
        async with asyncio.timeout(5):
            assert await lucky is None
        it.leave(KEY, None)
        assert it._places == {}

    asyncio.run(go())


def test_one_owner_who_takes_all_he_can_get_leaves_room_for_the_next() -> None:
    async def go() -> None:
        it = pool(per_host=16)
        for _ in range(14):
            await it.enter(KEY, 1, "hog")
        with pytest.raises(Busy) as caught:
            await it.enter(KEY, 0.01, "hog")
        assert not caught.value.sent
        for _ in range(2):
            await it.enter(KEY, 0.01, "guest")
        with pytest.raises(Busy):
            await it.enter(KEY, 0.01, "guest")
        assert it.counts == Counts(busy=16, waiting=0, refused=2)

    asyncio.run(go())


def test_a_place_that_comes_free_goes_to_who_has_the_fewest_and_never_to_who_has_left() -> None:
    async def go() -> None:
        it = pool(per_host=2)
        for _ in range(2):
            await it.enter(KEY, 1, "hog")
        more = asyncio.create_task(it.enter(KEY, 5, "hog"))
        gone = asyncio.create_task(it.enter(KEY, 5, "gone"))
        guest = asyncio.create_task(it.enter(KEY, 5, "guest"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        it.leave(KEY, None, "hog")
        assert await guest is None
        assert not more.done()
        it.leave(KEY, None, "hog")
        assert await more is None
        for owner in ("hog", "guest"):
            it.leave(KEY, None, owner)
        assert it._places == {}
        assert it.counts == Counts()

    asyncio.run(go())


def test_a_waiter_who_was_cancelled_in_the_same_round_is_passed_over() -> None:
    async def go() -> None:
        it = pool(per_host=1)
        await it.enter(KEY, 1)
        gone, next_ = (asyncio.create_task(it.enter(KEY, 5)) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        it.leave(KEY, None)
        assert await next_ is None
        with pytest.raises(asyncio.CancelledError):
            await gone

    asyncio.run(go())


def test_a_full_pool_is_told_within_a_second_and_in_one_line_however_many_meet_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def go() -> None:
        it = pool(per_host=1)
        await it.enter(KEY, 1)
        began = asyncio.get_running_loop().time()
        met = await asyncio.gather(*(it.enter(KEY, 60) for _ in range(5)), return_exceptions=True)
        assert all(isinstance(m, Busy) for m in met)
        assert asyncio.get_running_loop().time() - began < 10
        assert it.counts.refused == 5

    asyncio.run(go())
    assert [r.message for r in caplog.records if "MARKETPLACE_PROVIDER_CONNECTIONS" in r.message] == [
        "all 1 connections to provider.test are busy: 1 calls refused since the start (MARKETPLACE_PROVIDER_CONNECTIONS)"
    ]


def test_idle_connections_are_closed_in_time_and_forgotten_when_they_end() -> None:
    async def go() -> None:
        it = pool(keep_s=0.05)
        kept, ended = Fake(), Fake()
        for connection in (kept, ended):
            await it.enter(KEY, 1)
            await it.enter(OTHER, 1)
            it.leave(OTHER, None)
            it.leave(KEY, connection)
            if connection is kept:
                it.forget(KEY, connection)
        assert it._places.keys() == {KEY}
        async with asyncio.timeout(5):
            while ended.alive:
                await asyncio.sleep(0.01)
        assert kept.alive
        it.close()

    asyncio.run(go())


def test_a_connection_closed_by_the_other_side_is_noticed_even_before_the_event_loop_hears_of_it() -> None:
    async def go() -> None:
        loop = asyncio.get_running_loop()
        connections: Pool[Connection] = Pool(loop, per_host=2, keep_s=30)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            _, connection = await loop.create_connection(
                lambda: Connection(loop, connections, KEY), "127.0.0.1", port
            )
            other, _ = server.accept()
            assert connection.usable(2.0)
            other.close()
            assert not connection.transport.is_closing()
            assert connection.usable(0.0)
            assert not connection.usable(2.0)
            connection.abort()
            assert not connection.usable(0.0)
            await asyncio.sleep(0)

    asyncio.run(go())


def test_a_connection_that_ends_as_soon_as_it_is_made_is_a_failed_connect_that_another_provider_can_make_good() -> (
    None
):
    async def go() -> None:
        loop = asyncio.get_running_loop()
        connections: Pool[Connection] = Pool(loop, per_host=2, keep_s=30)
        assert await connections.enter(KEY, 1) is None
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            _, connection = await loop.create_connection(
                lambda: Connection(loop, connections, KEY), "127.0.0.1", port
            )
            server.accept()[0].close()
            async with asyncio.timeout(5):
                while not connection.transport.is_closing():
                    await asyncio.sleep(0)
            exchange = connection.send(
                OutboundRequest("POST", "https://provider.test/"), b"", loop.time() + 5
            )
            with pytest.raises(ConnectFailed) as caught:
                await exchange.answered(5)
            assert not caught.value.sent
        assert connections._places == {}

    asyncio.run(go())


def test_an_answer_that_comes_in_the_moment_of_its_deadline_is_delivered() -> None:
    async def go() -> None:
        loop = asyncio.get_running_loop()
        reported: list[dict[str, object]] = []
        loop.set_exception_handler(lambda _, context: reported.append(context))
        client = LeanClient()
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}/"
            times = Timeouts(connect_s=5, first_byte_s=0.2, idle_s=5, total_s=5)
            call = asyncio.create_task(
                client.send(OutboundRequest("GET", url, timeouts=times, allow_private=True))
            )
            due = loop.time() + 0.3
            while not select.select([server], [], [], 0)[0]:
                await asyncio.sleep(0)
            other, _ = server.accept()
            with other:
                while not select.select([other], [], [], 0)[0]:
                    await asyncio.sleep(0)
                other.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
                while (
                    loop.time() < due
                ):  # holds the loop, so that the deadline and the answer fall into one round
                    pass
                assert await (await call).read(10) == b"ok"
        await client.close()
        assert reported == []

    asyncio.run(go())


def test_a_sweep_leaves_connections_that_are_still_fresh() -> None:
    async def go() -> None:
        it = pool()
        fresh = Fake()
        await it.enter(KEY, 1)
        it.leave(KEY, fresh)
        it._sweep()
        assert await it.enter(KEY, 1) is fresh
        it.close()

    asyncio.run(go())


@pytest.mark.parametrize(("name", "kind"), [("aiohttp", AiohttpClient), ("lean", LeanClient)])
def test_the_setting_chooses_the_client(name: str, kind: type) -> None:
    async def go() -> None:
        client = make_client(load({"MARKETPLACE_OUTBOUND": name, "HOME": "/nowhere"}))
        assert type(client) is kind
        await client.close()

    asyncio.run(go())


def test_drain_counts_calls_until_they_are_settled() -> None:
    async def go() -> None:
        drain = Drain()
        ended: list[str] = []
        drain.at_end(lambda: ended.append("run"))
        await drain.idle()
        with drain.call(), drain.call():
            assert drain.active == 2
            drain.start()
            drain.start()
            await drain.started()
            waiting = asyncio.create_task(drain.idle())
            await asyncio.sleep(0)
            assert not waiting.done()
        await waiting
        assert (drain.active, drain.draining, ended) == (0, True, [])
        drain.end()
        assert ended == ["run"]

    asyncio.run(go())
