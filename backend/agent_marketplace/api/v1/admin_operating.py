"""Administrators' routes of what runs here: providers and their keys, prices and availability of models, settings."""

from collections import Counter
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response

from agent_marketplace.admin.choices import MONEY
from agent_marketplace.api import operating_schemas as schemas
from agent_marketplace.api.admin_schemas import Acted
from agent_marketplace.api.deps import Address, AdminPerson, Router, The, admin
from agent_marketplace.api.envelope import success
from agent_marketplace.api.present import iso
from agent_marketplace.api.v1.activity import heard_out
from agent_marketplace.api.v1.admin import MOST, By, prove
from agent_marketplace.app import Market
from agent_marketplace.catalog import Offer
from agent_marketplace.catalog.hosts import title
from agent_marketplace.catalog.models import prices_dict, tier_of
from agent_marketplace.errors import NotFound
from agent_marketplace.ledger import Price, dollars, nano
from agent_marketplace.ledger.lots import DAY_MS
from agent_marketplace.usage_log.query import ask

router = Router(prefix="/api/v1/admin", tags=["administration"], dependencies=[Depends(admin)])


@router.get(
    "/providers",
    summary="Providers with the operator's keys, their health and what is in flight",
    responses={200: {"model": schemas.OperatorProviders}},
)
async def get_providers(market: The, request: Request) -> Response:
    now = market.clock.now_ms()
    asked = ask(
        user_id=None, metrics=("requests", "error_share"), by=("provider",), filters={}, tz="UTC", granularity="day",
        since=now - DAY_MS, until=None, days=1, now=now, limit=500,
    )  # fmt: skip
    used = {row["provider"]: row for row in (await heard_out(request, market.usage_log.query(asked))).rows}
    stored, running = await market.operator_keys.stored(), await market.ledger.in_flight()
    models: Counter[str] = Counter()
    unpriced: Counter[str] = Counter()
    for offer in _offers(market):
        models[offer.provider] += 1
        unpriced[offer.provider] += offer.price is None
    shown = []
    for endpoint in market.endpoints.all():
        name, source = endpoint.name, market.operator_keys.source(endpoint.name)
        key, calls = stored.get(name) if source == "console" else None, used.get(name, {})
        shown.append(
            {
                "name": name,
                "title": title(name),
                "base_url": endpoint.base_url,
                # An Ollama that never answered is only an address that was tried.
                "configured": endpoint.configured and (name != "ollama" or bool(market.ollama.models)),
                "needs_key": endpoint.needs_key,
                "source": source,
                "masked": key and key.masked,
                "status": key and key.status,
                "last_tested_at": iso(key.last_tested_at) if key else None,
                "models": models[name],
                "unpriced": unpriced[name],
                "in_flight": running.get(name, 0),
                "calls": calls.get("requests", 0),
                "error_share": calls.get("error_share"),
                "breakers": [
                    {"model": t.model, "whose": t.whose, "failures": t.failures, "open_s": round(t.open_s, 1)}
                    for t in market.health.troubles(name)
                ],
            }
        )
    return success(providers=shown)


@router.post(
    "/providers/{provider}/key",
    summary="Test a key of the operator's and keep it in the vault",
    responses={200: {"model": schemas.KeySaved}},
)
async def save_key(
    market: The,
    principal: AdminPerson,
    by: By,
    provider: str,
    body: schemas.SaveProviderKey,
    address: Address,
) -> Response:
    await prove(market, principal, body.password, address)
    kept = await market.operator_keys.save(by, provider, body.api_key, reason=body.reason)
    return success(verdict=kept.status, request_id=by.request_id)


@router.post(
    "/providers/{provider}/key/delete",
    summary="Take the operator's key of a provider out of the vault",
    responses={200: {"model": Acted}},
)
async def drop_key(
    market: The,
    principal: AdminPerson,
    by: By,
    provider: str,
    body: schemas.DropProviderKey,
    address: Address,
) -> Response:
    await prove(market, principal, body.password, address)
    await market.operator_keys.delete(by, provider, reason=body.reason)
    return success(request_id=by.request_id)


@router.post(
    "/providers/{provider}/test",
    summary="Ask a provider whether it takes the operator's key",
    responses={200: {"model": schemas.Tested}},
)
async def test_key(market: The, provider: str) -> Response:
    return success(verdict=await market.operator_keys.test(provider))


@router.get(
    "/offers",
    summary="What is offered of which model, at which price, and why it is not called",
    responses={200: {"model": schemas.OffersFound}},
)
async def find_offers(
    market: The,
    q: Annotated[str, Query(max_length=200)] = "",
    provider: Annotated[str | None, Query(max_length=80)] = None,
    unpriced: bool = False,
    cursor: Annotated[str | None, Query(max_length=300)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    words = q.casefold()
    found = sorted(
        (
            offer
            for offer in _offers(market)
            if words in offer.id.casefold()
            and provider in (None, offer.provider)
            and (offer.price is None or not unpriced)
            and (cursor is None or offer.id > cursor)
        ),
        key=lambda offer: offer.id,
    )
    more = found[limit - 1].id if len(found) > limit else None
    return success(offers=[_offer(market, offer) for offer in found[:limit]], next_cursor=more)


@router.post(
    "/offers/price", summary="The operator's own price of an offer", responses={200: {"model": Acted}}
)
async def set_price(
    market: The, principal: AdminPerson, by: By, body: schemas.SetOfferPrice, address: Address
) -> Response:
    await prove(market, principal, body.password, address)
    price = Price(
        input=nano(body.input),
        output=nano(body.output),
        cache_read=None if body.cache_read is None else nano(body.cache_read),
        per_request=nano(body.per_request),
    )
    before = prices_dict(next((o.price for o in _offers(market) if o.id == body.offer), None)) or {}

    def note(connection: Any) -> None:
        after = prices_dict(price) or {}
        market.admin.record_in(connection, by, "set price", body.offer[:120], before, after, body.reason)

    await market.catalog.set_price(body.offer, price, note=note)
    return success(request_id=by.request_id)


@router.post(
    "/offers/switch",
    summary="Take an offer out of what the operator's account is called for, or put it back",
    responses={200: {"model": Acted}},
)
async def switch_offer(market: The, by: By, body: schemas.SwitchOffer) -> Response:
    if body.off and all(offer.id != body.offer for offer in _offers(market)):
        raise NotFound("There is no such offer")
    await market.choices.switch(by, body.offer, off=body.off, reason=body.reason)
    return success(request_id=by.request_id)


@router.get(
    "/settings",
    summary="Settings: what can be chosen here, and what the environment sets",
    responses={200: {"model": schemas.SettingsShown}},
)
async def get_settings(market: The) -> Response:
    shown = [
        {"name": s.name, "value": s.value, "default": s.default, "source": s.source, "money": s.name in MONEY}
        for s in market.choices.shown()
    ]
    settings = market.settings
    fixed = {
        "MARKETPLACE_SITE": settings.site or "",
        "DATABASE_URL": "SQLite" if settings.embedded else "PostgreSQL",
        "MARKETPLACE_DATA_DIR": str(settings.data_dir),
        "MARKETPLACE_NODES": str(settings.nodes),
        "STRIPE_SECRET_KEY": "set" if settings.payments.stripe_key else "",
        "MARKETPLACE_PAYMENT_SECRET": "set" if settings.payments.secret else "",
        "MARKETPLACE_PAYMENT_URL": settings.payments.url or "",
        "MARKETPLACE_AGENT_SHARE": str(settings.agent_author_bp // 100),
        "ways to pay": ", ".join(settings.payments.methods) or "none but codes and credit that you give",
    }
    return success(settings=shown, fixed=fixed, methods=list(settings.payments.methods))


@router.post("/settings/{name}", summary="Choose a setting", responses={200: {"model": Acted}})
async def choose_setting(
    market: The, principal: AdminPerson, by: By, name: str, body: schemas.ChooseSetting, address: Address
) -> Response:
    if name in MONEY:
        await prove(market, principal, body.password, address)
    await market.choices.choose(by, name, body.value, reason=body.reason)
    return success(request_id=by.request_id)


def _offers(market: Market) -> list[Offer]:
    return [offer for model in market.registry.snapshot.models for offer in model.offers]


def _offer(market: Market, offer: Offer) -> dict[str, Any]:
    price = offer.price
    return {
        "offer": offer.id,
        "model": offer.model_id,
        "provider": offer.provider,
        "tier": tier_of(price),
        "input": None if price is None else dollars(price.input),
        "output": None if price is None else dollars(price.output),
        "price_source": offer.source,
        "why_not": "no price is known" if price is None else market.registry.unavailable_reason(offer),
        "off": offer.id in market.choices.off,
    }
