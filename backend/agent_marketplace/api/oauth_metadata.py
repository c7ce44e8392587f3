"""What OAuth's clients ask first (RFC 8414): where a program signs in here, which is by device code alone (RFC 8628)."""

from fastapi import Request, Response

from agent_marketplace.accounts.principal import SCOPES
from agent_marketplace.api import replies
from agent_marketplace.api.deps import Router, The
from agent_marketplace.api.envelope import ExactJSON
from agent_marketplace.api.v1.devices import GRANT_TYPE
from agent_marketplace.api.v1.devices import router as devices

router = Router(tags=["sign-in of programs"])


@router.get(
    "/.well-known/oauth-authorization-server",
    summary="Where programs sign in (RFC 8414)",
    responses={200: {"model": replies.OAuthMetadata}},
)
async def oauth_metadata(request: Request, market: The) -> Response:
    base = (market.settings.site or str(request.base_url)).rstrip("/")
    return ExactJSON(
        {
            "issuer": base,
            "device_authorization_endpoint": f"{base}{devices.prefix}/code",
            "token_endpoint": f"{base}{devices.prefix}/token",
            "grant_types_supported": [GRANT_TYPE],
            "response_types_supported": [],  # there is no authorization endpoint
            "scopes_supported": sorted(SCOPES),
            "token_endpoint_auth_methods_supported": ["none"],
        },
        headers={"cache-control": "max-age=300"},
    )
