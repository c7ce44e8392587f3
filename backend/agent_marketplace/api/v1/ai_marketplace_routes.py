"""The guide's marketplace routes: accounts, catalogue, provider keys, Q Assistant (money: v1/billing, keys for programs: v1/keys)."""

from collections import Counter
from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query, Request, Response

from agent_marketplace.api import account_views, assist, present, replies, schemas
from agent_marketplace.api.catalog_views import view_of
from agent_marketplace.api.deps import Address, Caller, Person, Reader, Router, The, Writer
from agent_marketplace.api.envelope import success
from agent_marketplace.api.v1.account_export import account_export
from agent_marketplace.catalog.feed import rss
from agent_marketplace.connect import clients
from agent_marketplace.errors import NotFound
from agent_marketplace.ledger import dollars
from agent_marketplace.vault import StoredSecret

router = Router(prefix="/api/v1/marketplace")
Limit = Annotated[int, Query(ge=1, le=5000)]
Text = Annotated[str | None, Query(max_length=500)]


# -- accounts ----------------------------------------------------------------------------------------------------------


@router.post(
    "/auth/signup", tags=["accounts"], summary="Make an account", responses={200: {"model": schemas.SignedUp}}
)
async def signup(market: The, body: schemas.SignUp, address: Address) -> Response:
    auth = market.accounts.auth
    user = await auth.sign_up(body.email, body.password, invite=body.invite, address=address)
    token = await auth.open_session(user, address=address)
    words: dict[str, Any] = {}
    confirm = market.settings.mail.confirm
    if user.balance == 0 and confirm and user.role != "admin":
        words["notice"] = "Your sign-up credit comes once you follow the link that was sent to your address"
    elif user.balance == 0 and market.settings.signup_credit_nano:
        words["notice"] = "No sign-up credit is left for today, for this network address or for this mailbox"
    return success(token=token, user_id=user.user_id, balance=user.balance, **words)


@router.get(
    "/auth/signup",
    tags=["accounts"],
    summary="What an account brings, and who may make one",
    responses={200: {"model": schemas.SignUpOffer}},
)
async def signup_offer(market: The) -> Response:
    settings = market.settings
    credit, banner = dollars(settings.signup_credit_nano), market.choices.banner
    return success(
        signup=settings.signup,
        credit=credit,
        confirm=settings.mail.confirm,
        mail=market.mail.works,
        banner=banner,
    )


@router.post(
    "/auth/signin", tags=["accounts"], summary="Sign in", responses={200: {"model": schemas.SignedIn}}
)
async def signin(market: The, body: schemas.SignIn, address: Address) -> Response:
    token = await market.accounts.auth.sign_in(body.email, body.password, address=address)
    principal = await market.authenticator.verify(token)
    return success(token=token, user_id=principal.user_id)


@router.post(
    "/auth/signout",
    tags=["accounts"],
    summary="End this session at once",
    responses={200: {"model": schemas.Reply}},
)
async def signout(market: The, principal: Person) -> Response:
    await market.accounts.auth.end_session(principal.user_id, principal.session_id or "")
    return success()


@router.get(
    "/auth/sessions",
    tags=["accounts"],
    summary="Where I am signed in",
    responses={200: {"model": replies.Sessions}},
)
async def list_sessions(market: The, principal: Person) -> Response:
    found = await market.accounts.auth.sessions(principal.user_id)
    return success(
        sessions=[account_views.session(s, current=s.session_id == principal.session_id) for s in found]
    )


@router.delete(
    "/auth/sessions",
    tags=["accounts"],
    summary="End one of my sessions, or all but this one",
    responses={200: {"model": replies.SessionsEnded}},
)
async def end_sessions(
    market: The, principal: Person, body: schemas.EndSessions, address: Address
) -> Response:
    auth = market.accounts.auth
    await auth.prove(principal.user_id, body.password, address=address)
    if body.id is None:
        return success(ended=await auth.end_sessions(principal.user_id, but=principal.session_id))
    if not await auth.end_session(principal.user_id, body.id):
        raise NotFound("No such session")
    return success(ended=1)


@router.post(
    "/auth/password",
    tags=["accounts"],
    summary="Change my password",
    responses={200: {"model": schemas.Token}},
)
async def change_password(
    market: The, principal: Person, body: schemas.ChangePassword, address: Address
) -> Response:
    token = await market.accounts.auth.change_password(
        principal.user_id, body.current_password, body.new_password, address=address,
        revoke_keys=body.revoke_keys,
    )  # fmt: skip
    return success(token=token)


@router.get("/profile", tags=["accounts"], summary="Who I am", responses={200: {"model": schemas.Profile}})
async def get_profile(market: The, principal: Reader) -> Response:
    return success(user=account_views.profile(await market.accounts.auth.get_user(principal.user_id)))


@router.get(
    "/account/export",
    tags=["accounts"],
    summary="All of my data",
    responses={200: {"model": replies.Exported}},
)
async def export_account(market: The, principal: Person) -> Response:
    return await account_export(market, principal.user_id)


@router.delete("/account", tags=["accounts"], summary="Delete me", responses={200: {"model": schemas.Reply}})
async def delete_account(
    market: The, principal: Person, body: schemas.DeleteAccount, address: Address
) -> Response:
    await market.accounts.auth.delete_account(principal.user_id, body.password, address=address)
    return success()


# -- provider keys -------------------------------------------------------------------------------------------------------


@router.post(
    "/api-keys",
    tags=["provider keys"],
    summary="Save my key for a provider: tested, encrypted, never shown again",
    responses={200: {"model": replies.ProviderKeySaved}},
)
async def add_api_key(market: The, principal: Person, body: schemas.AddApiKey) -> Response:
    saved = await market.accounts.provider_keys.save(principal.user_id, body.provider, body.api_key)
    market.keys_changed(principal.user_id, body.provider)
    return success(**_api_key(saved))


@router.get(
    "/api-keys",
    tags=["provider keys"],
    summary="My provider keys, masked",
    responses={200: {"model": replies.ProviderKeys}},
)
async def list_api_keys(market: The, principal: Reader) -> Response:
    return success(
        api_keys=[_api_key(k) for k in await market.accounts.provider_keys.list(principal.user_id)]
    )


@router.delete(
    "/api-keys/{provider}",
    tags=["provider keys"],
    summary="Forget a provider key",
    responses={200: {"model": schemas.Reply}},
)
async def delete_api_key(market: The, principal: Person, provider: str) -> Response:
    await market.accounts.provider_keys.delete(principal.user_id, provider)
    market.keys_changed(principal.user_id, provider)
    return success()


@router.post(
    "/api-keys/{provider}/test",
    tags=["provider keys"],
    summary="Ask the provider whether my key still works",
    responses={200: {"model": replies.ProviderKeySaved}},
)
async def test_api_key(market: The, principal: Person, provider: str) -> Response:
    tested = await market.accounts.provider_keys.test(principal.user_id, provider)
    market.keys_changed(principal.user_id, provider)
    return success(**_api_key(tested))


@router.get(
    "/providers",
    tags=["provider keys"],
    summary="Providers: who is configured, who takes your own key",
    responses={200: {"model": replies.Providers}},
)
async def list_providers(market: The) -> Response:
    served: Counter[str] = Counter()
    for model in market.registry.get_all_models():
        served.update({offer.provider for offer in market.registry.offers(model.id)})
    return success(
        providers=[{**present.provider(e), "models": served[e.name]} for e in market.endpoints.all()]
    )


@router.get(
    "/clients",
    tags=["catalogue"],
    summary="Settings of editors, agents and libraries that speak to this server",
    responses={200: {"model": replies.Clients}},
)
async def list_clients() -> Response:
    return success(clients=[present.client(c) for c in clients()])


def _api_key(stored: StoredSecret) -> dict[str, Any]:
    return {
        "provider": stored.provider,
        "masked": stored.masked,
        "status": stored.status,
        "created_at": present.iso(stored.created_at),
        "last_tested_at": present.iso(stored.last_tested_at),
    }


# -- catalogue -----------------------------------------------------------------------------------------------------------


@router.get(
    "/models",
    tags=["catalogue"],
    summary="All models, filtered and sorted",
    responses={200: {"model": schemas.Models}},
)
async def get_all_models(request: Request, _filters: Annotated[schemas.ModelFilters, Query()]) -> Response:
    headers, query = request.headers, request.query_params
    parameters = {
        name: ",".join(query.getlist(name)) for name in query
    }  # named twice is a list, never silently the last one
    return view_of(request).answer(
        parameters, headers.get("if-none-match"), headers.get("accept-encoding", "")
    )


@router.get(
    "/models/search",
    tags=["catalogue"],
    summary="Search that forgives typing",
    responses={200: {"model": schemas.Search}},
)
async def search_models(
    market: The, q: Annotated[str, Query(max_length=2000)] = "", limit: Limit = 50
) -> Response:
    return success(models=[m.to_dict() for m in market.registry.search_models(q)[:limit]], query=q)


@router.get(
    "/models/popular",
    tags=["catalogue"],
    summary="Most used here",
    responses={200: {"model": schemas.Ranked}},
)
async def popular_models(market: The, limit: Annotated[int, Query(ge=1, le=100)] = 5) -> Response:
    models = market.registry.get_popular_models(limit)
    return success(models=[m.to_dict() for m in models], basis=market.registry.popular_basis)


@router.get(
    "/models/trending",
    tags=["catalogue"],
    summary="Rising this period",
    responses={200: {"model": schemas.Ranked}},
)
async def trending_models(
    market: The,
    period: Literal["day", "week", "month"] = "week",
    limit: Annotated[int, Query(ge=1, le=100)] = 5,
) -> Response:
    models = market.engine.get_trending_models(period)[:limit]
    return success(models=[m.to_dict() for m in models], basis=market.registry.popular_basis)


@router.get("/models/feed.rss", tags=["catalogue"], summary="RSS of new models")
async def models_feed(market: The, request: Request) -> Response:
    text = rss(
        market.registry.get_all_models(),
        market.settings.site or _own_address(request),
        added_at=await market.catalog.added_at(),
    )
    return Response(text, media_type="application/rss+xml", headers={"cache-control": "public, max-age=300"})


def _own_address(request: Request) -> str:
    """Where this server listens: the Host header is the caller's to choose, and a feed is passed on."""
    host, port = request.scope.get("server") or ("127.0.0.1", None)
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}" if port else f"http://{shown}"


@router.get(
    "/models/{model_id:path}/endpoints",
    tags=["catalogue"],
    summary="Offers of a model",
    responses={200: {"model": schemas.Offers}},
)
async def get_offers(market: The, model_id: str) -> Response:
    model = market.targets.resolve(model_id)
    return success(offers=market.registry.endpoints(model.id))


@router.get(
    "/models/{model_id:path}",
    tags=["catalogue"],
    summary="One model, with sources",
    responses={200: {"model": schemas.OneModel}},
)
async def get_model(market: The, model_id: str) -> Response:
    model = market.registry.resolve(model_id)
    if model is None:
        raise NotFound(
            "Model not found", code="model_not_found", extra={"nearest": market.registry.nearest(model_id)}
        )
    thumbs = market.engine.experience.thumbs.get(model.id)
    return success(
        model={
            **model.to_dict(),
            "price_history": await market.catalog.price_history(model.id),
            "thumbs": None if thumbs is None else msgspec.to_builtins(thumbs),
        }
    )


@router.post(
    "/models/{model_id:path}/rating",
    tags=["catalogue"],
    summary="Rate a model whose answers I paid for",
    responses={200: {"model": replies.Rated}},
)
async def rate_model(market: The, principal: Writer, model_id: str, body: schemas.Rate) -> Response:
    model = market.targets.resolve(model_id)
    paid = await market.learner.may_rate(principal.user_id, model.id)
    await market.catalog.rate(principal.user_id, model.id, body.stars, has_paid=paid)
    await market.learner.refresh()
    rating, count = await market.catalog.rating_of(model.id)
    return success(rating=rating, rating_count=count)


@router.get(
    "/favourites",
    tags=["catalogue"],
    summary="My favourite models",
    responses={200: {"model": replies.Favourites}},
)
async def get_favourites(market: The, principal: Reader) -> Response:
    return success(favourites=await market.favourites.list(principal.user_id))


@router.put(
    "/favourites/{model_id:path}",
    tags=["catalogue"],
    summary="Star a model",
    responses={200: {"model": replies.Favourites}},
)
async def add_favourite(market: The, principal: Writer, model_id: str) -> Response:
    model = market.targets.resolve(model_id)
    await market.favourites.add(principal.user_id, model.id)
    return success(favourites=await market.favourites.list(principal.user_id))


@router.delete(
    "/favourites/{model_id:path}",
    tags=["catalogue"],
    summary="Unstar a model",
    responses={200: {"model": replies.Favourites}},
)
async def remove_favourite(market: The, principal: Writer, model_id: str) -> Response:
    await market.favourites.remove(principal.user_id, model_id)
    return success(favourites=await market.favourites.list(principal.user_id))


# -- Q Assistant -----------------------------------------------------------------------------------------------------------


@router.post(
    "/recommendations",
    tags=["Q Assistant"],
    summary="Which model for this task and budget",
    responses={200: {"model": schemas.Recommendations}},
)
async def get_recommendations(market: The, principal: Caller, body: schemas.Recommend) -> Response:
    return success(**await assist.recommend(market, principal, body))


@router.post(
    "/generations/{request_id}/signal",
    tags=["Q Assistant"],
    summary="Thumbs, or what I did with an answer",
    responses={200: {"model": schemas.Reply}},
)
async def signal(market: The, principal: Writer, request_id: str, body: schemas.Signal) -> Response:
    await market.learner.signal(principal.user_id, request_id, body.kind, body.reason)
    return success()
