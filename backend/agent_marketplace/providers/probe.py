"""Is a provider key good? One cheap request that the provider answers with 401 or 403 to a bad key."""

from typing import Literal, Protocol

from agent_marketplace.net.errors import NetError
from agent_marketplace.net.http import OutboundClient
from agent_marketplace.providers.endpoints import Endpoint, Revealable

Verdict = Literal["verified", "refused", "unverified"]
_LIMIT = 4 * 1024 * 1024


class Prober(Protocol):
    """Tests a key; what accounts and the CLI are given."""

    async def __call__(self, provider: str, secret: Revealable) -> Verdict: ...


async def probe_key(client: OutboundClient, endpoint: Endpoint, secret: Revealable) -> Verdict:
    """`refused`: the provider said 401 or 403; `unverified`: it could not be asked, or its answer says nothing."""
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
