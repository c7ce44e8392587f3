"""Real server processes: killed in mid-stream, and stopped with streams open. The books must agree afterwards."""

import asyncio
import json
import os
import shutil
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent_marketplace.clock import SystemClock
from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.ledger import accounts, holds, usage_records
from agent_marketplace.ledger import Ledger
from tests.fakes import rig
from tests.fakes.databases import served
from tests.fakes.postgres import free_port
from tests.fakes.rig import Answer, Exchange, completion
from tests.fakes.upstream import Behaviour, FakeUpstream

pytestmark = pytest.mark.both_databases

LONG = " ".join(f"word{i}" for i in range(40))


class Installation:
    """A data directory and the processes that serve it. Make it outside of an event loop."""

    def __init__(self, directory: Path) -> None:
        databases = served()
        template, self.user_id, self.key = rig.template(databases)
        self.directory = directory / "home"
        shutil.copytree(template, self.directory)
        self.port = free_port()
        self.url = databases.copy(template, self.directory)
        self.env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "MARKETPLACE_DATA_DIR": str(self.directory),
            "MARKETPLACE_LOCAL_MODEL": "off",
            "MARKETPLACE_LIMITS": "off",
            "MARKETPLACE_GRACE": "2",
            "MARKETPLACE_HOLD_TTL": "2",
            "OPENAI_API_KEY": rig.OPERATORS_KEY,
            **databases.environment(self.directory),
        }

    async def grant(self, nano: int) -> None:
        database = Database.open(self.url)
        await Ledger(database, SystemClock()).grant(self.user_id, nano, kind="credit")
        database.close()

    async def run(self, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from agent_marketplace.cli.main import main; main()", *arguments, env=self.env,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip

    @asynccontextmanager
    async def serving(self):
        process = await self.run("serve", "--port", str(self.port))
        try:
            async with asyncio.timeout(30):
                while (await self.ask("GET", "/readyz")).status != 200:
                    assert process.returncode is None, await process.communicate()
                    await asyncio.sleep(0.05)
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def open(
        self, body: dict[str, object], path: str = "/v1/chat/completions", method: str = "POST"
    ) -> Exchange:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        raw = json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self.key}\r\ncontent-length: {len(raw)}\r\n\r\n"
        writer.write(head.encode() + raw)
        return Exchange(reader, writer)

    async def ask(self, method: str, path: str, body: dict[str, object] | None = None) -> Answer:
        try:
            return await (await self.open(body or {}, path, method)).rest()
        except OSError:
            return Answer(0, {})

    async def verified(self) -> bool:
        process = await self.run("ledger", "verify")
        output, _ = await process.communicate()
        assert process.returncode == 0, output
        return True

    def read(self, query):
        database = Database.open(self.url)
        try:
            return database.read_sync(lambda c: c.execute(query).all())
        finally:
            database.close()


def test_a_server_killed_in_mid_stream_leaves_a_lost_request_and_nothing_held(tmp_path) -> None:
    home = Installation(tmp_path)

    async def run() -> None:
        async with FakeUpstream(Behaviour(text=LONG, stepped=True), judged=True) as fake:
            home.env["OPENAI_BASE_URL"] = fake.base_url
            await home.grant(10**9)
            async with home.serving() as process:
                finished = await home.open(completion(stream=True))
                await fake.arrived(1)
                fake.release(40)
                assert (await finished.rest()).ending == "done"
                broken = await home.open(completion(stream=True))
                await fake.arrived(2)
                fake.release(5)
                await broken.until(3)
                process.send_signal(signal.SIGKILL)
                await process.wait()
                assert not (await broken.rest()).whole
            assert len(home.read(holds.select().where(holds.c.state == "open"))) == 1
            async with home.serving():
                async with asyncio.timeout(
                    30
                ):  # PostgreSQL: another node might still be streaming until its hold expires
                    while (
                        len(rows := home.read(usage_records.select().order_by(usage_records.c.created_at)))
                        < 2
                    ):
                        await asyncio.sleep(0.05)
                assert [r.status for r in rows] == ["ok", "lost"]
                assert (rows[1].charge_nano, rows[1].model, rows[1].provider) == (0, rig.MODEL, "openai")
                wallet = home.read(accounts.select())[0]
                assert (wallet.held_nano, wallet.balance_nano) == (0, 10**9 - rows[0].charge_nano)
            assert await home.verified()

    asyncio.run(run())


def test_sigterm_lets_streams_finish_in_the_grace_and_ends_the_rest_typed_and_paid(tmp_path) -> None:
    home = Installation(tmp_path)

    async def run() -> None:
        quick, slow = Behaviour(text=LONG, chunk_delay=0.02), Behaviour(text=LONG, chunk_delay=1)
        async with FakeUpstream(*[quick] * 10, *[slow] * 10, judged=True) as fake:
            home.env["OPENAI_BASE_URL"] = fake.base_url
            await home.grant(10**9)
            async with home.serving() as process:
                streams = []
                for n in range(20):
                    streams.append(await home.open(completion(stream=True)))
                    await fake.arrived(n + 1)
                await asyncio.gather(*(s.until(1) for s in streams))
                loop = asyncio.get_running_loop()
                began = loop.time()
                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(2):
                    while (await home.ask("GET", "/readyz")).status == 200:
                        await asyncio.sleep(0.01)
                refused = await home.ask("POST", "/v1/chat/completions", completion())
                assert refused.status in (0, 503)
                answers = await asyncio.gather(*(s.rest() for s in streams))
                output, _ = await process.communicate()
                assert process.returncode == 0, output.decode()[-2000:]
                assert loop.time() - began < 2 + 8, "an order of magnitude for the grace of two seconds"
            assert [a.ending for a in answers] == ["done"] * 10 + ["temporarily_unavailable"] * 10
            assert all(a.whole for a in answers)
            rows = home.read(usage_records.select())
            assert sorted(r.status for r in rows) == ["ok"] * 10 + ["partial"] * 10
            assert not home.read(holds.select().where(holds.c.state == "open"))
            assert await home.verified()

    asyncio.run(run())
