"""Offered agents: authors publish, users find, agree and pin."""

from typing import Annotated, Literal

from fastapi import Query, Response

from agent_marketplace.api import listing_replies as replies
from agent_marketplace.api import listing_schemas as schemas
from agent_marketplace.api import listing_views as views
from agent_marketplace.api.deps import Reader, Router, The, Writer
from agent_marketplace.api.envelope import success
from agent_marketplace.api.listing_costs import computed
from agent_marketplace.api.schemas import Reply
from agent_marketplace.errors import NotFound
from agent_marketplace.listings.finding import diff
from agent_marketplace.listings.outcomes.types import Figures

router = Router(prefix="/api/v1/agents", tags=["offered agents"])
Category = Literal["code", "writing", "data", "research", "support", "other"]


@router.get("/listings", summary="Find agents", responses={200: {"model": replies.Listings}})
async def find_listings(
    market: The,
    q: Annotated[str, Query(max_length=500)] = "",
    category: Category | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    scored, now = await market.listings.finding.search(q, category), market.clock.now_ms()
    measured = await market.listings.trust.short([head.agent_id for _, (head, _) in scored])
    ordered = sorted(
        ((score, one, measured.get(one[0].agent_id, Figures())) for score, one in scored),
        key=lambda t: (-t[0], -t[2].payers, -(t[2].rating.low or 0), -(t[2].success or 0), t[1][0].path),
    )
    more = offset + limit if offset + limit < len(ordered) else None
    some = [views.found(one, figures, now) for _, one, figures in ordered[offset : offset + limit]]
    return success(listings=some, total=len(ordered), next_offset=more)


@router.get(
    "/listings/{publisher}/{slug}", summary="An agent's card", responses={200: {"model": replies.Card}}
)
async def get_listing(market: The, publisher: str, slug: str) -> Response:
    head, versions = await market.listings.finding.page(publisher, slug, None)
    origin = await market.listings.finding.origin(head)
    now, trust = market.clock.now_ms(), market.listings.trust
    return success(
        agent=views.head(head, origin),
        versions=[views.version(v, now) for v in versions],
        figures=views.figures(await trust.figures(head.agent_id)),
        reviews=[views.review(r) for r in await trust.reviews(head.agent_id)],
    )


@router.post(
    "/listings/{publisher}/{slug}/consent",
    summary="Agree to what an agent may do and who sees data",
    responses={200: {"model": replies.ConsentOut}},
)
async def agree(market: The, principal: Writer, publisher: str, slug: str, body: schemas.Agree) -> Response:
    given = await market.listings.finding.agree(
        principal.user_id, publisher, slug, body.version, pin=body.pin
    )
    return success(agreed_version=given.version, pinned=given.pinned)


@router.delete(
    "/listings/{publisher}/{slug}/consent", summary="Take it back", responses={200: {"model": Reply}}
)
async def revoke(market: The, principal: Writer, publisher: str, slug: str) -> Response:
    await market.listings.finding.revoke(principal.user_id, publisher, slug)
    return success()


@router.get(
    "/listings/{publisher}/{slug}/quote",
    summary="What a run will cost",
    responses={200: {"model": replies.QuoteOut}},
)
async def get_quote(
    market: The, publisher: str, slug: str, version: Annotated[int | None, Query(ge=1)] = None
) -> Response:
    head, versions = await market.listings.finding.page(publisher, slug, None)
    wanted = [v for v in versions if v.version == (version or head.live)]
    if not wanted:
        raise NotFound("No such version")
    now, of = market.clock.now_ms(), wanted[0]
    measured = await market.listings.trust.quote(head.agent_id, of.version)
    whole = await market.listings.resolver.pinned(head.agent_id, of.version, head.user_id)
    return success(**views.quote(of, measured, computed(market.registry, whole.spec, of.price_at(now)), now))


@router.put(
    "/listings/{publisher}/{slug}/rating",
    summary="Rate an agent by a run of mine",
    responses={200: {"model": Reply}},
)
async def rate_agent(
    market: The, principal: Writer, publisher: str, slug: str, body: schemas.RateAgent
) -> Response:
    await market.listings.trust.rate(principal.user_id, publisher, slug, body.run_id, body.stars, body.words)
    return success()


@router.post(
    "/listings/{publisher}/{slug}/report",
    summary="Tell the operator about a version",
    responses={200: {"model": Reply}},
)
async def report_agent(
    market: The, principal: Writer, publisher: str, slug: str, body: schemas.ReportAgent
) -> Response:
    await market.listings.trust.report(principal.user_id, publisher, slug, body.version, body.why, body.words)
    return success()


@router.post(
    "/listings/{publisher}/{slug}/fork",
    summary="Make an own agent of a copy, with attribution",
    responses={200: {"model": replies.OfferedReply}},
)
async def fork(market: The, principal: Writer, publisher: str, slug: str, body: schemas.Fork) -> Response:
    head, version = await market.listings.publishing.fork(principal.user_id, publisher, slug, body.slug)
    origin = await market.listings.finding.origin(head)
    shown = views.version(version, market.clock.now_ms(), instructions=True)
    return success(agent=views.head(head, origin), version=shown)


@router.get("/installed", summary="Agents that I agreed to", responses={200: {"model": replies.Installed}})
async def get_installed(market: The, principal: Reader) -> Response:
    found, now = await market.listings.finding.installed(principal.user_id), market.clock.now_ms()
    return success(agents=[views.installed(one, now) for one in found])


@router.get("/publisher", summary="My handle", responses={200: {"model": replies.PublisherReply}})
async def get_publisher(market: The, principal: Reader) -> Response:
    found = await market.listings.publishing.publisher(principal.user_id)
    return success(handle=found and found.handle)


@router.put(
    "/publisher", summary="Take a handle, for good", responses={200: {"model": replies.PublisherReply}}
)
async def take_handle(market: The, principal: Writer, body: schemas.TakeHandle) -> Response:
    found = await market.listings.publishing.take_handle(principal.user_id, body.handle)
    return success(handle=found.handle)


@router.get("/offered", summary="Agents of mine", responses={200: {"model": replies.OfferedList}})
async def list_offered(market: The, principal: Reader) -> Response:
    now = market.clock.now_ms()
    mine = await market.listings.publishing.mine(principal.user_id)
    return success(
        agents=[{"agent": views.head(h), "versions": [views.version(v, now) for v in vs]} for h, vs in mine]
    )


@router.post(
    "/offered",
    summary="A new agent with its first version, a draft",
    responses={200: {"model": replies.OfferedReply}},
)
async def create_offered(market: The, principal: Writer, body: schemas.NewOffered) -> Response:
    head, version = await market.listings.publishing.create(principal.user_id, body.slug, body.version.spec())
    shown = views.version(version, market.clock.now_ms(), instructions=True)
    return success(agent=views.head(head), version=shown)


@router.get(
    "/offered/{offered_id}",
    summary="One of my agents with all versions",
    responses={200: {"model": replies.OfferedPage}},
)
async def get_offered(market: The, principal: Reader, offered_id: str) -> Response:
    head, versions = await market.listings.publishing.own(principal.user_id, offered_id)
    origin = await market.listings.finding.origin(head)
    now = market.clock.now_ms()
    shown = [views.version(v, now, instructions=True) for v in versions]
    return success(agent=views.head(head, origin), versions=shown)


@router.get(
    "/offered/{offered_id}/diff",
    summary="What differs between two versions of mine",
    responses={200: {"model": replies.DiffOut}},
)
async def get_diff(
    market: The,
    principal: Reader,
    offered_id: str,
    old: Annotated[int, Query(ge=1)] = 1,
    new: Annotated[int, Query(ge=1)] = 1,
) -> Response:
    _, versions = await market.listings.publishing.own(principal.user_id, offered_id)
    known = {v.version: v for v in versions}
    if old not in known or new not in known:
        raise NotFound("No such version")
    return success(changes={name: list(pair) for name, pair in diff(known[old], known[new]).items()})


@router.get(
    "/offered/{offered_id}/figures",
    summary="How an agent of mine does",
    responses={200: {"model": replies.OwnFiguresReply}},
)
async def get_figures(
    market: The, principal: Reader, offered_id: str, days: Annotated[int, Query(ge=1, le=365)] = 30
) -> Response:
    return success(**views.own_figures(await market.listings.trust.own(principal.user_id, offered_id, days)))


@router.post(
    "/offered/{offered_id}/versions",
    summary="The next version, a draft",
    responses={200: {"model": replies.VersionReply}},
)
async def add_version(market: The, principal: Writer, offered_id: str, body: schemas.SpecBody) -> Response:
    made = await market.listings.publishing.add_version(principal.user_id, offered_id, body.spec())
    return success(version=views.version(made, market.clock.now_ms(), instructions=True))


@router.post(
    "/offered/{offered_id}/versions/{version}/submit",
    summary="Offer a version",
    responses={200: {"model": replies.VersionReply}},
)
async def submit_version(
    market: The, principal: Writer, offered_id: str, version: int, body: schemas.SubmitVersion
) -> Response:
    if body.visibility != "private":
        _, versions = await market.listings.publishing.own(principal.user_id, offered_id)
        for spec in (v.spec for v in versions if v.version == version):
            servers = (tool.server for tool in spec.tools)
            await market.runs.servers.check_named(principal.user_id, servers, spec.hosts)
    made = await market.listings.publishing.submit(principal.user_id, offered_id, version, body.visibility)
    return success(version=views.version(made, market.clock.now_ms()))


@router.post(
    "/offered/{offered_id}/versions/{version}/withdraw",
    summary="Take a version back",
    responses={200: {"model": replies.VersionReply}},
)
async def withdraw_version(market: The, principal: Writer, offered_id: str, version: int) -> Response:
    gone = await market.listings.publishing.withdraw(principal.user_id, offered_id, version)
    return success(version=views.version(gone, market.clock.now_ms()))


@router.get("/earnings", summary="What I earned", responses={200: {"model": replies.EarnedReply}})
async def get_earnings(market: The, principal: Reader) -> Response:
    found = await market.db.read(lambda c: market.ledger.earned_in(c, principal.user_id))
    return success(**views.earned(found))
