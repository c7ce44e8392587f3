"""Tool servers of users: named, looked at, approved tool by tool; and what of them a version is offered.

A definition is pinned by its hash. One that is new, or is not the one that was approved, is offered to no model until its owner
has looked at it again. The secret belongs to the server's owner, stands sealed, and goes to that server alone.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, Conflict, MarketplaceError, NotFound
from agent_marketplace.ids import new_id
from agent_marketplace.net.errors import AddressRefused, InvalidRequest
from agent_marketplace.net.ssrf import parse_url
from agent_marketplace.runs.mcp import store
from agent_marketplace.runs.mcp.client import FROM_A_RUN, McpClient, Server
from agent_marketplace.runs.mcp.stdio import SCHEME
from agent_marketplace.runs.mcp.store import PinRow, ServerRow
from agent_marketplace.runs.mcp.wire import Definition
from agent_marketplace.runs.tools.base import Caller, Tool, ToolFailed
from agent_marketplace.runs.types import Got, Policy, Spec, ToolRef
from agent_marketplace.vault import CannotOpen, Vault

_MOST_SERVERS = 32
_FRESH_MS = 2_000
"""So old a look may be at the beginning of a run; after a call there is another before the model is asked again."""
_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,79}")
_OWNED = frozenset(
    {
        "mcp-session-id",
        "mcp-protocol-version",
        "mcp-method",
        "mcp-name",
        "accept",
        "content-type",
        "host",
        "cookie",
        FROM_A_RUN,
    }
)
_FOR_MODELS = re.compile(r"[^A-Za-z0-9_-]")


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A tool for its reviewer. state: approved, new, changed, gone."""

    tool: str
    state: str
    sha256: str
    description: str
    schema: dict[str, Any]
    annotations: dict[str, Any]
    policy: Policy
    read_only: bool


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """A reviewer's word on one tool. sha256: of the definition that was shown."""

    tool: str
    sha256: str
    policy: Policy
    read_only: bool


class McpTool(Tool):
    """A tool of a server, as it was approved."""

    data = True

    def __init__(
        self,
        name: str,
        server: Server,
        server_id: str,
        seen: Definition,
        pin: PinRow,
        client: McpClient,
        stopped: Callable[[], Awaitable[bool]],
    ) -> None:
        self.name = name
        self.description = seen.description
        self.parameters = seen.schema
        self.read_only = bool(pin.read_only)
        self.policy = _stricter(pin.policy, "ask" if seen.destructive else "allow")
        self.pin = pin.pin_sha256
        self.payee, self.source = f"tool:{server_id}", seen.name
        self._server, self._tool, self._client, self._stopped = server, seen.name, client, stopped

    async def run(self, given: Mapping[str, Any], caller: Caller) -> Got:
        """Raises ToolFailed."""
        if await self._stopped():
            raise ToolFailed("this tool server was stopped by the operator", "server_stopped")
        return await self._client.call(
            self._server, self._tool, given, timeout_s=caller.timeout_s, read_only=self.read_only
        )


def _stricter(one: str, other: str) -> Policy:
    order: tuple[Policy, ...] = ("allow", "ask", "deny")
    return order[max(order.index(one), order.index(other))]


class ToolServers:
    """All tool servers. allow_private: users may name hosts on private networks, without TLS (one's own installation)."""

    def __init__(
        self, db: Database, vault: Vault, clock: Clock, client: McpClient, *, allow_private: bool = False
    ) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock
        self._client = client
        self._allow_private = allow_private

    async def add(
        self, user_id: str, name: str, url: str, *, secret: str = "", header: str = "authorization"
    ) -> ServerRow:
        """url: also `stdio:NAME` of a command that the operator declares, for an administrator. Raises BadRequest (name, address,
        header), Conflict (name in use)."""
        if not _NAME.fullmatch(name):
            raise BadRequest(
                "A tool server's name is 2 to 40 of a-z, 0-9 and dashes, beginning with a letter"
            )
        await self._may_name(user_id, url)
        if not _HEADER.fullmatch(header) or header.lower() in _OWNED:
            raise BadRequest("header: not a header that a secret may be sent in")
        if len(secret) > 4_000 or not secret.isprintable() or not secret.isascii():
            raise BadRequest("secret: at most 4000 printable ASCII characters")
        now, server_id = self._clock.now_ms(), new_id("srv")
        cipher = await self._vault.texts(user_id)
        row = ServerRow(
            server_id=server_id, user_id=user_id, name=name, url=url, header=header, revision="", problem="", created_at=now,
            secret_sealed=cipher.seal(_place(server_id), secret) if secret else None, checked_at=None,
        )  # fmt: skip

        def work(connection: Any) -> None:
            if len(store.of_user(connection, user_id)) >= _MOST_SERVERS:
                raise BadRequest(f"At most {_MOST_SERVERS} tool servers: delete one first")
            if not store.add(connection, row):
                raise Conflict("You have a tool server of this name")

        await self._db.write(work)
        await self.look(user_id, server_id)
        return await self.get(user_id, server_id)

    async def _may_name(self, user_id: str, url: str) -> None:
        """Raises BadRequest."""
        if url.startswith(SCHEME):
            if not self._client.commands.knows(url) or not await self._operates(user_id):
                raise BadRequest("url: no such command is declared here for you", code="address_refused")
            return
        try:
            parse_url(url, allow_private=self._allow_private)
        except (AddressRefused, InvalidRequest) as error:
            raise BadRequest(f"url: {error.message}", code="address_refused") from None

    async def _operates(self, user_id: str) -> bool:
        return await self._db.read(lambda c: store.is_administrator(c, user_id))

    async def list(self, user_id: str) -> list[ServerRow]:
        return await self._db.read(lambda c: store.of_user(c, user_id))

    async def get(self, user_id: str, server_id: str) -> ServerRow:
        """Raises NotFound."""
        return await self._db.read(lambda c: store.find(c, server_id, (user_id,)))

    async def delete(self, user_id: str, server_id: str) -> None:
        """Raises NotFound."""
        if not await self._db.write(lambda c: store.delete(c, server_id, user_id)):
            raise NotFound("No such tool server")

    async def shown(self, user_id: str, server_id: str) -> Sequence[Shown]:
        """Its tools, for whoever reviews them. Raises NotFound."""
        await self.get(user_id, server_id)
        return [_shown(pin) for pin in await self._db.read(lambda c: store.pins_of(c, server_id))]

    async def approve(self, user_id: str, server_id: str, words: Sequence[Approved]) -> None:
        """Pins definitions as they were shown. Raises NotFound, Conflict where one has changed since."""
        await self.get(user_id, server_id)
        now = self._clock.now_ms()

        def work(connection: Any) -> None:
            store.lock(connection, server_id)  # no look may put back what stood there before
            rows = {pin.tool: pin for pin in store.pins_of(connection, server_id)}
            for word in words:
                pin = rows.get(word.tool)
                if pin is None or not pin.seen_sha256 or pin.seen_sha256 != word.sha256:
                    raise Conflict(
                        f"{word.tool[:128]} is not what was shown: look at it again", code="approval_stale"
                    )
                pin.pin_sha256, pin.policy, pin.read_only, pin.approved_at = (
                    word.sha256,
                    word.policy,
                    int(word.read_only),
                    now,
                )
            store.put_pins(connection, server_id, [msgspec.structs.asdict(pin) for pin in rows.values()])

        await self._db.write(work)

    async def look(self, user_id: str, server_id: str) -> None:
        """Lists the server's tools anew; what fails stands in `problem`, and none of its tools is then offered. Raises NotFound."""
        row = await self.get(user_id, server_id)
        await self._look(row)

    async def everybodys(self, words: str, after: str | None, limit: int) -> Sequence[ServerRow]:
        """For the operator: everybody's servers whose address or name fits."""
        return await self._db.read(lambda c: store.every(c, words, after, limit))

    async def stop(self, server_id: str, *, stopped: bool, note: Callable[[Any, ServerRow], None]) -> None:
        """The operator's kill switch: no tool of it is called from the next call on. note(connection, row before) is done in the
        same transaction. Raises NotFound."""
        at = self._clock.now_ms() if stopped else None

        def work(connection: Any) -> None:
            row = store.stop(connection, server_id, at)
            if row is None:
                raise NotFound("No such tool server")
            note(connection, row)

        await self._db.write(work)

    async def _look(self, row: ServerRow) -> None:
        found: list[Definition] = []
        now, problem, revision = self._clock.now_ms(), "", row.revision
        try:
            found, revision = await self._client.tools(await self._server(row))
        except ToolFailed as failed:
            problem = failed.words[:300]

        def work(connection: Any) -> None:
            store.change(connection, row.server_id, checked_at=now, problem=problem, revision=revision)
            if not problem:
                known = {pin.tool: pin for pin in store.pins_of(connection, row.server_id)}
                if {name: pin.seen_sha256 for name, pin in known.items()} == {
                    t.name: t.sha256 for t in found
                }:
                    return  # as it was: most looks find nothing new
                store.put_pins(connection, row.server_id, _renewed(row.server_id, known, found))

        await self._db.write(work)

    async def _server(self, row: ServerRow) -> Server:
        """Raises ToolFailed where the secret can't be opened any more."""
        secret = ""
        if row.secret_sealed is not None:
            try:
                secret = (await self._vault.texts(row.user_id)).open(
                    _place(row.server_id), bytes(row.secret_sealed)
                )
            except CannotOpen:
                raise ToolFailed(
                    "its secret can't be read any more: enter it again", "needs_reentry"
                ) from None
        return Server(url=row.url, owner=row.user_id, header=row.header, secret=secret, revision=row.revision)

    async def check_named(self, author_id: str, server_ids: Iterable[str], hosts: Iterable[str]) -> None:
        """Raises BadRequest where the hosts that a version says see its users' data lack one of its author's tool servers."""
        mine = {row.server_id: row for row in await self.list(author_id)}
        seen = {host_of(mine[name].url) for name in server_ids if name in mine} - {""}
        if missing := sorted(seen - set(hosts)):
            raise BadRequest(
                f"hosts must name who sees your users' data: {', '.join(missing)}", code="hosts_missing"
            )

    async def of(self, user_id: str, spec: Spec, *, midway: bool = False) -> Mapping[str, Tool]:
        """As `Tools.of`: the tools of servers that belong to the user, or to the version's author. An author's server is asked only
        where the card names its host: that is what users agreed to."""
        found: dict[str, Tool] = {}
        for server_id in dict.fromkeys(ref.server for ref in spec.tools if ref.server):
            refs = [ref for ref in spec.tools if ref.server == server_id]
            try:
                row = await self._db.read(
                    lambda c, s=server_id: store.find(c, s, (user_id, spec.author_id or user_id))  # type: ignore[misc]
                )
                if row.url.startswith(SCHEME) and not await self._operates(row.user_id):
                    continue  # its owner is no administrator any more
                if row.user_id == user_id or host_of(row.url) in {*spec.hosts, ""}:
                    found |= await self._of(row, refs, midway=midway, taken=found)
            except (MarketplaceError, ToolFailed):
                continue  # gone, or not reachable: its tools are absent, which the run's events say
        return found

    async def _of(
        self, row: ServerRow, refs: Sequence[ToolRef], *, midway: bool, taken: Mapping[str, Tool]
    ) -> Mapping[str, Tool]:
        server_id, owner = row.server_id, row.user_id
        if row.stopped_at is not None:
            return {}

        async def stopped() -> bool:
            return await self._db.read(lambda c: store.stopped(c, server_id))

        old = row.checked_at is None or row.problem or self._clock.now_ms() - row.checked_at > _FRESH_MS
        if midway or old:
            await self._look(row)
            row = await self._db.read(lambda c: store.find(c, server_id, (owner,)))
        if row.problem and not midway:  # a run that has its tools keeps them: a call says what is the matter
            return {}
        server, pins = await self._server(row), await self._db.read(lambda c: store.pins_of(c, server_id))
        found: dict[str, Tool] = {}
        for ref, pin in _approved(refs, pins):
            name = called(row.name, ref.name, server_id, {*taken, *found})
            seen = msgspec.json.decode(pin.seen, type=Definition)
            found[name] = McpTool(name, server, server_id, seen, pin, self._client, stopped)
        return found


def _approved(refs: Sequence[ToolRef], pins: Sequence[PinRow]) -> Iterator[tuple[ToolRef, PinRow]]:
    """What a version may use of a server: what was approved, and is still as it was."""
    known = {pin.tool: pin for pin in pins}
    for ref in refs:
        pin = known.get(ref.name)
        if pin is None or not pin.pin_sha256 or pin.pin_sha256 != pin.seen_sha256:
            continue
        if ref.pin in ("", pin.pin_sha256):
            yield ref, pin


def host_of(url: str) -> str:
    """Whose machine an address names, in small letters; "" for a command of the operator's."""
    return (urlsplit(url).hostname or "").lower()


def called(server: str, tool: str, server_id: str, taken: Collection[str] = ()) -> str:
    """A tool's name as models take it. Where letters must change, or the name is taken, it ends in digits of a hash: no two tools
    share one."""
    name = f"{server}__{_FOR_MODELS.sub('_', tool)}"
    if name == f"{server}__{tool}" and len(name) <= 64 and name not in taken:
        return name
    return f"{name[:55]}_{hashlib.sha256(f'{server_id} {tool}'.encode()).hexdigest()[:8]}"


def is_called(name: str, tool: str, server_id: str) -> bool:
    """Whether `name` is what models were told a server's tool is called."""
    server = name.partition("__")[0]
    return name in (called(server, tool, server_id), called(server, tool, server_id, (f"{server}__{tool}",)))


def _place(server_id: str) -> str:
    return f"{server_id} secret"


def _renewed(
    server_id: str, known: Mapping[str, PinRow], found: Sequence[Definition]
) -> list[dict[str, Any]]:
    """Rows after a look: what was approved stays written down, also where the tool is gone or another."""
    rows = []
    for seen in found:
        old = known.get(seen.name)
        rows.append(
            PinRow(
                server_id=server_id, tool=seen.name, seen_sha256=seen.sha256, seen=msgspec.json.encode(seen).decode(),
                pin_sha256=old.pin_sha256 if old else "", policy=old.policy if old else "ask",
                read_only=old.read_only if old else 0, approved_at=old.approved_at if old else None,
            )
        )  # fmt: skip
    names = {seen.name for seen in found}
    for old in known.values():
        if old.tool not in names and old.pin_sha256:
            old.seen_sha256 = ""
            rows.append(old)
    return [msgspec.structs.asdict(row) for row in rows]


def _shown(pin: PinRow) -> Shown:
    seen = msgspec.json.decode(pin.seen, type=Definition)
    state = "gone" if not pin.seen_sha256 else "new" if not pin.pin_sha256 else "approved"
    if state == "approved" and pin.pin_sha256 != pin.seen_sha256:
        state = "changed"
    return Shown(
        tool=pin.tool, state=state, sha256=pin.seen_sha256, description=seen.description, schema=seen.schema,
        annotations=seen.annotations, policy=_stricter(pin.policy, "allow"), read_only=bool(pin.read_only),
    )  # fmt: skip
