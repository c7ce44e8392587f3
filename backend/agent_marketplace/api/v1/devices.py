"""Sign-in of programs by device code, RFC 8628: two routes for the program, in OAuth's forms, and three for the person who answers."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request, Response

from agent_marketplace.accounts.devices import DeviceRefused, Terms
from agent_marketplace.accounts.keys import Cap
from agent_marketplace.api import replies, schemas
from agent_marketplace.api.deps import Address, Person, Router, The
from agent_marketplace.api.envelope import ExactJSON, error_headers, success
from agent_marketplace.api.present import iso
from agent_marketplace.api.v1.agent_body import read_bytes
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.ids import new_id
from agent_marketplace.ledger import Money

router = Router(prefix="/api/v1/marketplace/auth/device", tags=["sign-in of programs"])
GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"
_FORM = "application/x-www-form-urlencoded"
_MOST_BYTES = 16_384
_BY_STATUS = {429: "slow_down", 503: "temporarily_unavailable"}


def _form_of(*fields: str) -> dict[str, Any]:
    properties = {name: {"type": "string"} for name in fields}
    return {
        "requestBody": {
            "required": True,
            "content": {_FORM: {"schema": {"type": "object", "properties": properties}}},
        }
    }


async def form(request: Request) -> Mapping[str, str]:
    """The fields of an OAuth form. Raises DeviceRefused: another type, a field twice (RFC 6749, 3.2)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise DeviceRefused("invalid_request", f"Send a form: Content-Type {_FORM}")
    data = await read_bytes(request)
    if len(data) > _MOST_BYTES:
        raise DeviceRefused("invalid_request", "The form is too long")
    try:
        pairs = parse_qsl(data.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise DeviceRefused("invalid_request", "The form can't be read") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise DeviceRefused("invalid_request", "A field is there twice")
    return fields


def _refused(error: MarketplaceError) -> Response:
    """OAuth's shape of a failure (RFC 6749, 5.2)."""
    code = error.code if isinstance(error, DeviceRefused) else _BY_STATUS.get(error.status, "invalid_request")
    body = {"error": code, "error_description": error.message}
    return ExactJSON(body, error.status, error_headers(error, new_id("req")))


@router.post(
    "/code",
    summary="A program asks for a code (RFC 8628, 3.1)",
    responses={200: {"model": replies.DeviceCodes}},
    openapi_extra=_form_of("client_id", "scope"),
)
async def ask(market: The, request: Request, address: Address) -> Response:
    try:
        fields = await form(request)
        codes = await market.accounts.devices.ask(
            fields.get("client_id", ""), fields.get("scope", "").split(), address=address
        )
    except MarketplaceError as error:
        return _refused(error)
    page = f"{market.settings.site or str(request.base_url).rstrip('/')}/device"
    return ExactJSON(
        {
            "device_code": codes.device_code,
            "user_code": codes.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?code={codes.user_code}",
            "expires_in": codes.expires_in,
            "interval": codes.interval,
        }
    )


@router.post(
    "/token",
    summary="The program fetches its key, once its user has said yes (RFC 8628, 3.4)",
    responses={200: {"model": replies.DeviceToken}},
    openapi_extra=_form_of("grant_type", "device_code", "client_id"),
)
async def token(market: The, request: Request) -> Response:
    try:
        fields = await form(request)
        if fields.get("grant_type") != GRANT_TYPE:
            return ExactJSON(
                {"error": "unsupported_grant_type", "error_description": f"grant_type must be {GRANT_TYPE}"},
                400,
            )
        made = await market.accounts.devices.poll(fields.get("client_id", ""), fields.get("device_code", ""))
    except MarketplaceError as error:
        return _refused(error)
    key = made.info
    lasts = {} if key.expires_at is None else {"expires_in": (key.expires_at - key.created_at) // 1000}
    return ExactJSON(
        {"access_token": made.key, "token_type": "Bearer", "scope": " ".join(key.scopes), **lasts}
    )


@router.post("/look", summary="What a code stands for", responses={200: {"model": replies.DeviceAsked}})
async def look(market: The, principal: Person, body: schemas.DeviceCode, address: Address) -> Response:
    asked = await market.accounts.devices.look(principal.user_id, body.user_code, address=address)
    return success(
        client=asked.client,
        scopes=list(asked.scopes),
        asked_at=iso(asked.asked_at),
        expires_at=iso(asked.expires_at),
        same_network=asked.same_network,
    )


@router.post("/approve", summary="Let the program have a key", responses={200: {"model": schemas.Reply}})
async def approve(market: The, principal: Person, body: schemas.ApproveDevice) -> Response:
    cap = None
    if body.cap is not None:
        cap = Cap(Money.of(body.cap.amount).nano, body.cap.period, body.cap.timezone)
    terms = Terms(body.name, body.scopes, cap, body.expires_in_days)
    await market.accounts.devices.approve(principal.user_id, body.user_code, terms)
    return success()


@router.post("/deny", summary="Say no to the program", responses={200: {"model": schemas.Reply}})
async def deny(market: The, principal: Person, body: schemas.DeviceCode) -> Response:
    await market.accounts.devices.deny(principal.user_id, body.user_code)
    return success()
