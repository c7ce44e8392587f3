"""A server of a process that serves another after it: tests, and whoever embeds the application."""

import asyncio
import gc
import weakref
from pathlib import Path

from tests.fakes.rig import Rig


def test_a_server_that_has_ended_does_not_stay_in_memory(tmp_path: Path) -> None:
    async def live_and_end(rig: Rig) -> "weakref.ref[object]":
        async with rig:
            assert (await rig.call("/v1/models", None, method="GET")).status == 200
            return weakref.ref(rig.market.registry)

    kept = asyncio.run(live_and_end(Rig(tmp_path)))
    gc.collect()
    assert kept() is None
