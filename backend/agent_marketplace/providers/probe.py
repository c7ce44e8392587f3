"""Is a provider key good? One cheap request that the provider answers with 401 or 403 to a bad key."""

import secrets
from typing import Literal

from agent_marketplace.net.errors import NetError
from agent_marketplace.net.http import OutboundClient
from agent_marketplace.providers.endpoints import Endpoint, Revealable

Verdict = Literal["verified", "refused", "unverified"]
_LIMIT = 4 * 1024 * 1024


class _Nobodys:
    """A key that no provider gave out."""

    def __init__(self) -> None:
        self._text = secrets.token_urlsafe(32)

    def reveal(self) -> str:
        return self._text


async def probe_key(client: OutboundClient, endpoint: Endpoint, secret: Revealable) -> Verdict:
    """Asks where the key will be used. `refused`: the provider said 401 or 403; `unverified`: it could not be asked, its
    answer says nothing, or it would take any key: a random one must be refused there."""
    verdict = await _asked(client, endpoint, secret)
    if verdict == "verified" and await _asked(client, endpoint, _Nobodys()) != "refused":
        return "unverified"
    return verdict


async def _asked(client: OutboundClient, endpoint: Endpoint, secret: Revealable) -> Verdict:
    request = endpoint.key_probe(secret)
    if request is None:
        return "unverified"
    try:
        response = await client.send(request)
        body = b""
        try:
            if response.status == 400:
                body = await response.read(_LIMIT)
        finally:
            response.cancel()
    except NetError:
        return "unverified"
    if response.status in (401, 403):
        return "refused"
    if response.status == 400 and b"API_KEY_INVALID" in body:  # Gemini answers 400 to an unknown key
        return "refused"
    return "verified" if 200 <= response.status < 300 else "unverified"
