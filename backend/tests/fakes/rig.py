"""A whole marketplace on loopback: real app behind the real guarded server, one account, and a provider that is ours to script.

On the way out nothing may be left: no open hold, nothing held, one usage row and at most one charge a request, a ledger that
verifies, no connection to the provider, no task.
"""

import asyncio
import functools
import inspect
import json
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

import sqlalchemy as sa
from uvicorn._types import ASGI3Application

from agent_marketplace.api.server import create
from agent_marketplace.app import Market, build
from agent_marketplace.catalog.declaring import models_of
from agent_marketplace.catalog.own import Declared, Said
from agent_marketplace.db import migrate
from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.ledger import holds, usage_records
from agent_marketplace.gateway.pulse import Rhythm
from agent_marketplace.ledger import Ledger, Price, price_usage
from agent_marketplace.ledger.types import UsageRecord
from agent_marketplace.net.drain import Drain
from agent_marketplace.net.guard import GuardedConfig, Limits
from agent_marketplace.net.http import OutboundClient, OutboundRequest, OutboundResponse, Timeouts
from agent_marketplace.net.server import DrainingServer, bind
from agent_marketplace.providers.endpoints import OPERATORS_FILE
from agent_marketplace.settings import ProviderSettings, Settings
from agent_marketplace.usage import Usage
from tests.fakes import canary, compliance
from tests.fakes.databases import Databases, here
from tests.fakes.upstream import Behaviour, FakeUpstream

MODEL = "gpt-4o-mini"
SOON = Timeouts(connect_s=5, first_byte_s=10, idle_s=10, total_s=20)
BRISK = Rhythm(tail_s=0.3, rest_s=0.1)
OPERATORS_KEY = "sk-operator-0123456789abcdef"


def template(databases: Databases) -> tuple[Path, str, str]:
    """A migrated installation with one account: (directory, user id, marketplace key). Copied for every test."""
    directory, (user_id, key) = databases.template(_fill)
    return directory, user_id, key


def _fill(databases: Databases, directory: Path) -> tuple[str, str]:
    settings = _settings(databases, directory, databases.url(directory), {})

    async def make() -> tuple[str, str]:
        market = build(settings, env={})
        await market.start()
        user = await market.accounts.auth.create_user("rig@example.com", "correct horse, not the comic")
        key = await market.accounts.keys.create(
            user.user_id, "rig", scopes=("inference", "account:read", "account:write")
        )
        await market.stop()
        return user.user_id, key.key

    database = Database.open(settings.database_url)
    migrate.upgrade(database.engine)
    database.close()
    return asyncio.run(make())


def _settings(
    databases: Databases, directory: Path, url: str, providers: Mapping[str, ProviderSettings]
) -> Settings:
    return Settings(
        data_dir=directory,
        models_dir=directory,
        database_url=url,
        local_model=False,
        rate_limits=False,
        calls_per_user=0,
        signup_credit_nano=0,
        providers=providers,
        **databases.settings(),
    )


class _Hasty:
    """The real client, with the test's deadlines in place of a provider's."""

    def __init__(self, real: OutboundClient, timeouts: Timeouts) -> None:
        self._real = real
        self._timeouts = timeouts

    async def send(self, request: OutboundRequest) -> OutboundResponse:
        return await self._real.send(replace(request, timeouts=self._timeouts))

    async def close(self) -> None:
        await self._real.close()


@dataclass
class Answer:
    """What a client got. whole: the answer was ended properly, not cut."""

    status: int
    headers: dict[str, str]
    body: bytes = b""
    whole: bool = False

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """The error object, in the envelope or in OpenAI's shape."""
        body = self.json
        inner = body.get("error")
        return inner if isinstance(inner, dict) else body

    @property
    def code(self) -> str:
        return str(self.error["code"])

    @property
    def data(self) -> list[Any]:
        """Every SSE event's data: JSON, or the text as it is ([DONE])."""
        found = []
        for event in self.body.decode().split("\n\n"):
            lines = [line[5:].strip() for line in event.split("\n") if line.startswith("data:")]
            if lines:
                text = "\n".join(lines)
                found.append(json.loads(text) if text.startswith("{") else text)
        return found

    @property
    def text(self) -> str:
        """The text that arrived, from either stream or either plain reply."""
        if "text/event-stream" not in self.headers.get("content-type", ""):
            body = self.json
            return str(body["result"] if "result" in body else body["choices"][0]["message"]["content"])
        return "".join(_delta(event) for event in self.data)

    @property
    def ending(self) -> str:
        """How the stream told its end: `done`, an error's code, or `cut`."""
        last = self.data[-1] if self.data else None
        if last == "[DONE]" or (isinstance(last, dict) and last.get("type") == "done"):
            return "done"
        if isinstance(last, dict) and last.get("type") == "error":
            return str(last["code"])
        if isinstance(last, dict) and isinstance(last.get("error"), dict):
            return str(last["error"]["code"])
        return "cut"


def _delta(event: Any) -> str:
    if not isinstance(event, dict):
        return ""
    if event.get("type") == "delta":
        return str(event["delta"])
    return "".join(c.get("delta", {}).get("content") or "" for c in event.get("choices") or ())


@dataclass
class Exchange:
    """One request under way, on a socket of its own."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    answer: Answer = field(default_factory=lambda: Answer(0, {}))

    async def head(self) -> Answer:
        """Status and headers, once they are here."""
        try:
            raw = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (asyncio.IncompleteReadError, ConnectionError):
            return self.answer
        first, *lines = raw.split("\r\n")
        self.answer.status = int(first.split()[1])
        self.answer.headers.update(
            {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines if line)}
        )
        return self.answer

    async def piece(self) -> bytes:
        """The next piece of the body; b"" at its end."""
        try:
            if "content-length" in self.answer.headers:
                data = await self.reader.readexactly(int(self.answer.headers["content-length"]))
                self.answer.body, self.answer.whole = data, True
                return b""
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            data = (await self.reader.readexactly(size + 2))[:-2]
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            return b""
        self.answer.whole = size == 0
        self.answer.body += data
        return data

    async def until(self, count: int) -> None:
        """Returns once `count` text deltas have arrived."""
        if not self.answer.status:
            await self.head()
        while sum(bool(_delta(event)) for event in self.answer.data) < count:
            if not await self.piece():
                return

    async def rest(self) -> Answer:
        """Everything to the end."""
        if not self.answer.status:
            await self.head()
        while self.answer.status and not self.answer.whole and await self.piece():
            pass
        self.writer.close()
        canary.told(self.answer.status, self.answer.body, "a call")
        return self.answer

    def hang_up(self) -> None:
        """The client goes away without a word."""
        self.writer.transport.abort()


class Rig:
    """`async with Rig(tmp_path, Behaviour(...), balance=...) as rig`. balance: nano-dollars; others: more providers and their scripts;
    timeouts: in place of the providers' own, None = those that are installed; operators_file: the text of providers.toml.

    pauses: what the gateway would have waited between tries, seconds (nobody waits here).
    """

    def __init__(
        self,
        directory: Path,
        *script: Behaviour,
        balance: int = 10**9,
        timeouts: Timeouts | None = SOON,
        rhythm: Rhythm = BRISK,
        others: Mapping[str, Sequence[Behaviour]] | None = None,
        operators_file: str = "",
        grace_s: float = 5.0,
        outbound: Literal["lean", "aiohttp"] = "aiohttp",
        **settings: Any,
    ) -> None:
        self._databases = here()
        original, self.user_id, self.key = template(self._databases)
        self.directory = directory / "rig"
        shutil.copytree(original, self.directory)
        (self.directory / OPERATORS_FILE).write_text(operators_file)
        self._url = self._databases.copy(original, self.directory)
        self.up = FakeUpstream(*script, judged=True, provider="openai")
        self._balance = balance
        self._timeouts = timeouts
        self._rhythm = rhythm
        self.at = {"openai": self.up} | {
            name: FakeUpstream(*its, judged=True, provider=name) for name, its in (others or {}).items()
        }
        self._grace_s = grace_s
        self._outbound = outbound
        self._settings = settings
        self._exchanges: list[Exchange] = []
        self._declared: list[Declared] = []
        self.pauses: list[float] = []
        self._reopened: Database | None = None
        self.market: Market

    async def __aenter__(self) -> Self:
        for fake in self.at.values():
            await fake.__aenter__()
        providers = {name: ProviderSettings(OPERATORS_KEY, fake.base_url) for name, fake in self.at.items()}
        settings = replace(
            _settings(self._databases, self.directory, self._url, providers), outbound=self._outbound,
            **self._settings,
        )  # fmt: skip
        self.market = build(settings, drain=Drain(), env={})
        self.market.router.parts.rhythm = self._rhythm
        self.market.router.parts.sleep = self._sleep
        app: ASGI3Application = create(self.market)  # type: ignore[assignment]
        self._config = GuardedConfig(
            app, Limits(), self.market.drain, lifespan="on", interface="asgi3", log_config=None, access_log=False,
            proxy_headers=False,
        )  # fmt: skip
        self.server = DrainingServer(self._config, grace_s=self._grace_s)
        sock = bind("127.0.0.1", 0)
        self.port = sock.getsockname()[1]
        self._serving = asyncio.create_task(self.server.serve(sockets=[sock]))
        async with asyncio.timeout(20):
            while not self.server.started:
                assert not self._serving.done(), "the server did not start"
                await asyncio.sleep(0.01)
        real = self.market.client.real
        assert real is not None, "the app did not start"
        if self._timeouts is not None:
            self.market.client.real = _Hasty(real, self._timeouts)
        if self._balance:
            await self.market.ledger.grant(self.user_id, self._balance, kind="credit")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                if self.market.drain.draining:
                    await self.stopped()
                await self.quiet()
                await self.check()
        finally:
            if self._reopened is not None:
                self._reopened.close()
            for exchange in self._exchanges:
                transport = exchange.writer.transport
                if (
                    not transport.is_closing() or transport.get_write_buffer_size()
                ):  # asyncio fails on one that is gone
                    transport.abort()
            self.server.stop()
            if kind is not None:
                self.server.stop()
            async with asyncio.timeout(15):
                await self._serving
            if kind is None:
                async with asyncio.timeout(5):
                    while any(fake.open_connections for fake in self.at.values()):
                        await asyncio.sleep(0.01)
            for fake in self.at.values():
                await fake.__aexit__()
        if kind is None:
            await self._no_tasks()

    async def stopped(self) -> None:
        """Returns once the server has stopped; its books are then open for reading."""
        async with asyncio.timeout(15):
            await self._serving
        if self._reopened is None:
            self._reopened = self.market.db = Database.open(self.market.settings.database_url)
            self.market.ledger = Ledger(
                self._reopened, self.market.clock, secret=self.market.secrets.checkpoint
            )

    # -- asking -----------------------------------------------------------------------------------------------------

    async def open(
        self, path: str, body: Any, headers: Mapping[str, str] | None = None, *, method: str = "POST"
    ) -> Exchange:
        """Sends a request; the answer is read by the exchange."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 26)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {
            "host": "rig",
            "authorization": f"Bearer {self.key}",
            "content-length": str(len(raw)),
            **(headers or {}),
        }
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in given.items()) + "\r\n"
        writer.write(head.encode() + raw)
        exchange = Exchange(reader, writer)
        self._exchanges.append(exchange)
        return exchange

    async def call(
        self, path: str, body: Any, headers: Mapping[str, str] | None = None, *, method: str = "POST"
    ) -> Answer:
        """One whole request and answer; what takes 20 s counts as hanging."""
        async with asyncio.timeout(20):
            answer = await (await self.open(path, body, headers, method=method)).rest()
        if path == "/v1/responses" and answer.status == 200 and answer.whole:
            stream = answer.headers["content-type"].startswith("text/event-stream")
            _ = compliance.events_of(answer.body) if stream else compliance.checked(answer.json)
        return answer

    async def chat(self, *, stream: bool = False, **fields: Any) -> Answer:
        """`/v1/chat/completions`."""
        return await self.call("/v1/chat/completions", completion(stream=stream, **fields))

    async def ask(self, *, stream: bool = False, **fields: Any) -> Answer:
        """`/api/v1/agents/completion`."""
        return await self.call("/api/v1/agents/completion", completion(stream=stream, **fields))

    # -- looking ----------------------------------------------------------------------------------------------------

    def price(self, model: str = MODEL, provider: str = "openai") -> Price:
        """The list price of an offer."""
        price = next(o.price for o in self.market.registry.offers(model) if o.provider == provider)
        assert price is not None
        return price

    def cost(self, prompt: int, completion_: int, model: str = MODEL) -> int:
        """Nano-dollars of a reported usage, by the one pricing function."""
        return price_usage(self.price(model), Usage(input=prompt, output=completion_))

    async def declare(self, provider: str, model: str = MODEL, *, priced: bool = True, **told: int) -> None:
        """Offers a model at a provider, beside those declared before. told: input_ and output, nano-dollars per million; context."""
        price = Price(input=told.get("input_", 0), output=told.get("output", 0)) if priced else None
        said = Said(context=told.get("context", 0))
        one = Declared(model_id=model, provider=provider, upstream_id=model, price=price, said=said)
        self._declared.append(one)
        await self.market.catalog.declare_all([*models_of(self.market.endpoints.all()), *self._declared])
        self.market.refresh_availability()

    async def wallet(self) -> tuple[int, int]:
        """(balance, held) in nano-dollars."""
        balance = await self.market.ledger.balance(self.user_id)
        return balance.balance, balance.held

    async def spent(self) -> int:
        """What was charged so far, nano-dollars."""
        return self._balance - (await self.wallet())[0]

    async def rows(self) -> list[UsageRecord]:
        """Every usage row, oldest first."""

        def read(connection: sa.Connection) -> list[str]:
            order = (usage_records.c.created_at, usage_records.c.request_id)
            return [r[0] for r in connection.execute(sa.select(usage_records.c.request_id).order_by(*order))]

        names = await self.market.db.read(read)
        return [await self.market.ledger.receipt(name, self.user_id) for name in names]

    async def row(self) -> UsageRecord:
        """The one usage row."""
        await self.quiet()
        rows = await self.rows()
        assert len(rows) == 1, rows
        return rows[0]

    async def quiet(self) -> None:
        """Returns once no call is under way, at the latest after the five seconds that the contract allows."""
        async with asyncio.timeout(5):
            while self.market.drain.active or (await self.wallet())[1]:
                await asyncio.sleep(0.01)

    async def check(self) -> None:
        """The books: nothing held, one row a request, everything verifies."""

        def read(connection: sa.Connection) -> tuple[int, int, int, list[str]]:
            open_ = connection.scalar(
                sa.select(sa.func.count()).select_from(holds).where(holds.c.state == "open")
            )
            made = connection.scalar(sa.select(sa.func.count()).select_from(holds))
            kept = connection.scalar(sa.select(sa.func.count()).select_from(usage_records))
            return open_ or 0, made or 0, kept or 0, self.market.ledger.verify_sync(connection).problems

        open_, made, kept, problems = await self.market.db.read(read)
        assert (open_, problems) == (0, [])
        assert made == kept, "not exactly one usage row for each request"
        balance, held = await self.wallet()
        assert held == 0
        assert balance >= 0
        for fake in self.at.values():
            await fake.settled(5)

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    async def _no_tasks(self) -> None:
        async with asyncio.timeout(2):
            while len(asyncio.all_tasks()) > 1:
                await asyncio.sleep(0.01)


def completion(*, stream: bool = False, **fields: Any) -> dict[str, Any]:
    """A body for either completion route."""
    body: dict[str, Any] = {
        "model": MODEL,
        "messages": [{"role": "user", "content": "Say something."}],
        **fields,
    }
    if stream:
        body["stream"] = True
    return {k: v for k, v in body.items() if v is not None}


def on_rig(
    *script: Behaviour, **options: Any
) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., None]]:
    """Makes a pytest test of an async one whose first argument is a Rig; what takes 30 s counts as hanging."""

    def wrap(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
        others = list(inspect.signature(test).parameters.values())[1:]

        def run(tmp_path: Path, **parameters: Any) -> None:
            chosen = script or tuple(p for p in parameters.values() if isinstance(p, Behaviour))
            template(here())

            async def go() -> None:
                async with asyncio.timeout(30), Rig(tmp_path, *chosen, **options) as rig:
                    await test(rig, **parameters)

            asyncio.run(go())

        functools.update_wrapper(run, test)
        own = [inspect.Parameter("tmp_path", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
        run.__signature__ = inspect.Signature(own + others)  # type: ignore[attr-defined]
        return run

    return wrap
