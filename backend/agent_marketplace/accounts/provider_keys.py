"""A user's own keys of providers: checked for form, tested when saved, kept in the vault, never shown again."""

import re
from collections.abc import Awaitable, Callable, Collection
from typing import Literal

from agent_marketplace.errors import BadRequest, NotFound
from agent_marketplace.vault import Secret, StoredSecret, Vault

Verdict = Literal["verified", "refused", "unverified"]
# Asks the provider with the key: verified, refused (401 or 403), or unverified (no answer that tells).
Probe = Callable[[str, Secret], Awaitable[Verdict]]

_HEADER_SAFE = re.compile(r"[\x21-\x7e]{1,4096}")


async def tried(probe: Probe, provider: str, text: str) -> tuple[Secret, Literal["verified", "unverified"]]:
    """A key that was typed in, and what its provider says of it. Raises BadRequest (malformed, refused)."""
    text = text.strip()
    if not _HEADER_SAFE.fullmatch(text):
        raise BadRequest("The API key must be 1 to 4096 visible ASCII characters without blanks")
    secret = Secret(text)
    verdict = await probe(provider, secret)
    if verdict == "refused":
        raise BadRequest(f"{provider} refuses this API key", code="provider_key_refused")
    return secret, verdict


class ProviderKeys:
    """Provider keys of users. providers: the names that may be used; keyless: those in whose place stands a server of the
    operator's that asks for no key."""

    def __init__(
        self, vault: Vault, probe: Probe, providers: Collection[str], keyless: Collection[str] = ()
    ) -> None:
        self._vault = vault
        self._probe = probe
        self._providers = providers
        self._keyless = keyless

    async def save(self, user_id: str, provider: str, api_key: str) -> StoredSecret:
        """Tests and stores a key. Raises BadRequest: unknown provider, malformed key, or refused by the provider."""
        self._check_provider(provider)
        secret, verdict = await tried(self._probe, provider, api_key)
        return await self._vault.put(user_id, provider, secret, status=verdict)

    async def test(self, user_id: str, provider: str) -> StoredSecret:
        """Tests a stored key again. Raises NotFound, BadRequest (refused), SecretUnreadable."""
        self._check_provider(provider)
        verdict = await self._probe(provider, await self._vault.get(user_id, provider))
        await self._vault.mark(user_id, provider, "verified" if verdict == "verified" else "unverified")
        if verdict == "refused":
            raise BadRequest(f"{provider} refuses this API key", code="provider_key_refused")
        return next(key for key in await self.list(user_id) if key.provider == provider)

    async def list(self, user_id: str) -> list[StoredSecret]:
        """Masked, with their status."""
        return await self._vault.list(user_id)

    async def delete(self, user_id: str, provider: str) -> None:
        """Raises NotFound."""
        if not await self._vault.delete(user_id, provider):
            raise NotFound(f"No API key for {provider}", code="no_provider_key")

    def _check_provider(self, provider: str) -> None:
        if provider in self._keyless:
            words = f"{provider} is a server of the operator's here, which asks for no key: own keys are not taken for it"
            raise BadRequest(words, code="own_keys_closed")
        if provider not in self._providers:
            raise BadRequest(
                f"Unknown provider; known: {', '.join(sorted(self._providers))}", code="unknown_provider"
            )
