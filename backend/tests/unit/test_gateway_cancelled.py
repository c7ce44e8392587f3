"""A caller who leaves while his call is being settled is charged all the same, once, and stays cancelled."""

import asyncio

import pytest

from agent_marketplace.gateway.stopping import settled_despite_cancel


def test_a_settlement_under_way_survives_any_number_of_cancellations() -> None:
    async def go() -> None:
        begun, go_on, settled = asyncio.Event(), asyncio.Event(), []

        async def settle() -> None:
            begun.set()
            await go_on.wait()
            settled.append("once")

        call = asyncio.create_task(settled_despite_cancel(settle()))
        await begun.wait()
        for _ in range(3):
            call.cancel()
            await asyncio.sleep(0)
            assert not call.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert settled == ["once"]

    asyncio.run(go())


def test_a_settlement_that_fails_or_is_itself_cancelled_is_not_taken_for_done() -> None:
    async def failing() -> None:
        raise RuntimeError("the database is gone")

    async def go() -> None:
        with pytest.raises(RuntimeError):
            await settled_despite_cancel(failing())
        work = asyncio.ensure_future(asyncio.sleep(60))
        call = asyncio.create_task(settled_despite_cancel(work))
        await asyncio.sleep(0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    asyncio.run(go())
