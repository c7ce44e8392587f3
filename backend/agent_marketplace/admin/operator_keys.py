"""The operator's own keys of providers, put into the vault in the console. What the environment sets stays as it is.

Every process looks twice a second whether one was saved or deleted, and calls with what is there now.
"""

import logging
from collections.abc import Callable, Iterable, Mapping

import msgspec
import sqlalchemy as sa

from agent_marketplace.accounts.provider_keys import Probe, Verdict, tried
from agent_marketplace.admin.admin import Actor, Admin
from agent_marketplace.errors import Conflict, NotFound
from agent_marketplace.providers.endpoints import EndpointTable
from agent_marketplace.vault import Secret, StoredSecret, Vault
from agent_marketplace.vault.vault import SecretStatus, SecretUnreadable

log = logging.getLogger(__name__)
OPERATOR = "operator"  # whose keys they are in the vault; no account has this id


class OperatorKeys:
    """probe: asks a provider whether it takes a key; changed: told of each provider whose key is another now."""

    def __init__(
        self,
        vault: Vault,
        admin: Admin,
        endpoints: EndpointTable,
        probe: Probe,
    ) -> None:
        self._vault = vault
        self._admin = admin
        self._endpoints = endpoints
        self._probe = probe
        self._by_environment = frozenset(e.name for e in endpoints.all() if e.key is not None)
        self._seen: Mapping[str, tuple[str, int]] = {}
        self.changed: Callable[[str], None] = lambda _: None

    async def follow(self) -> None:
        """Calls with the keys that are in the vault now."""
        await self.catch_up(await self._vault.list(OPERATOR))

    async def catch_up(self, stored: Iterable[StoredSecret]) -> None:
        """As `follow`, where what the vault has has been read."""
        there = {key.provider: (key.masked, key.created_at) for key in stored}
        if there == self._seen:
            return
        different = {
            name for name in there.keys() | self._seen.keys() if there.get(name) != self._seen.get(name)
        }
        self._seen = there
        for name in sorted(different):
            endpoint = self._endpoints.get(name)
            if endpoint is None or name in self._by_environment:
                continue
            self._endpoints.put(msgspec.structs.replace(endpoint, key=await self._text(name)))
            self.changed(name)

    async def stored(self) -> dict[str, StoredSecret]:
        """What may be shown of the keys in the vault, by provider."""
        return {key.provider: key for key in await self._vault.list(OPERATOR)}

    def source(self, provider: str) -> str | None:
        """Where the key that is used comes from: environment, console, or None where there is none."""
        if provider in self._by_environment:
            return "environment"
        return "console" if provider in self._seen else None

    async def save(self, by: Actor, provider: str, text: str, *, reason: str) -> StoredSecret:
        """Tests a key and stores it. Raises NotFound, Conflict (the environment sets it), BadRequest (malformed, refused)."""
        self._check(provider)
        secret, verdict = await tried(self._probe, provider, text)

        def note(connection: sa.Connection) -> None:
            after = {"key": secret.masked, "tested": verdict}
            self._admin.record_in(connection, by, "save provider key", provider, {}, after, reason)

        kept = await self._vault.put(OPERATOR, provider, secret, status=verdict, note=note)
        await self.follow()
        return kept

    async def test(self, provider: str) -> Verdict:
        """Asks the provider whether it takes the key that is used now. Raises NotFound (no key)."""
        endpoint = self._endpoints.get(provider)
        if endpoint is None or endpoint.key is None:
            raise NotFound(f"No API key for {provider}", code="no_provider_key")
        verdict = await self._probe(provider, Secret(endpoint.key))
        if self.source(provider) == "console":
            status: SecretStatus = "verified" if verdict == "verified" else "unverified"
            await self._vault.mark(OPERATOR, provider, status)
        return verdict

    async def delete(self, by: Actor, provider: str, *, reason: str) -> None:
        """Raises NotFound, Conflict (the environment sets it)."""
        self._check(provider)

        def note(connection: sa.Connection) -> None:
            self._admin.record_in(connection, by, "delete provider key", provider, {}, {}, reason)

        if not await self._vault.delete(OPERATOR, provider, note=note):
            raise NotFound(f"No API key for {provider}", code="no_provider_key")
        await self.follow()

    def _check(self, provider: str) -> None:
        endpoint = self._endpoints.get(provider)
        if endpoint is None or endpoint.auth == "none" or provider == "local":
            raise NotFound("There is no such provider that takes a key", code="unknown_provider")
        if provider in self._by_environment:
            raise Conflict(
                f"The key of {provider} is set by the environment: change it there", code="set_by_environment"
            )

    async def _text(self, provider: str) -> str | None:
        try:
            return (await self._vault.get(OPERATOR, provider)).reveal()
        except SecretUnreadable as problem:
            log.exception("%s", problem.message)
        except NotFound:
            pass
        return None
