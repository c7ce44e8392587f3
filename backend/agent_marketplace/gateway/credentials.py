"""Whose key pays at which provider. Which providers a user saved a key for is remembered for at most a second."""

import time
from collections import OrderedDict

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.vault import Secret, Vault
from agent_marketplace.wires.base import FailureClass, UpstreamFailure

_FRESH_S = 1.0
_MOST_USERS = 10_000


class Credentials:
    """A small view of the vault for the hot path: names are cached, secrets are not."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._known: OrderedDict[str, tuple[float, frozenset[str]]] = OrderedDict()

    async def providers(self, user_id: str) -> frozenset[str]:
        """Providers for which this user has a usable key."""
        known = self._known.get(user_id)
        if known is not None and time.monotonic() - known[0] < _FRESH_S:
            return known[1]
        names = await self._vault.configured(user_id)
        self._known[user_id] = (time.monotonic(), names)
        self._known.move_to_end(user_id)
        if len(self._known) > _MOST_USERS:
            self._known.popitem(last=False)
        return names

    async def secret(self, user_id: str, provider: str) -> Secret:
        """The user's own key. Raises UpstreamFailure if there is none to send: this attempt fails, others may follow."""
        try:
            return await self._vault.get(user_id, provider)
        except MarketplaceError as error:  # deleted meanwhile, or not readable with today's master keys
            raise UpstreamFailure(FailureClass.OWN_KEY, error.message) from None

    def forget(self, user_id: str) -> None:
        """After a key was saved or deleted."""
        self._known.pop(user_id, None)
