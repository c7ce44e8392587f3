"""Health, readiness, metrics."""

import hmac

import sqlalchemy as sa
from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from agent_marketplace import json
from agent_marketplace.api.asgi import read_headers
from agent_marketplace.api.deps import Router, The
from agent_marketplace.api.envelope import ExactJSON
from agent_marketplace.api.metrics import read_tally, render_metrics, tally
from agent_marketplace.api.nearby import from_here
from agent_marketplace.api.peers import peers_of
from agent_marketplace.app import Market
from agent_marketplace.db.probe import LIMIT_S
from agent_marketplace.errors import Unauthorized, Unavailable

router = Router(tags=["operations"])


@router.get("/healthz", summary="The process lives (touches nothing)")
async def healthz() -> Response:
    return ExactJSON({"status": "ok"})


@router.get("/readyz", summary="Ready for requests: not draining, database takes writes, embedded model up")
async def readyz(market: The) -> Response:
    if market.drain.draining:
        return _not_ready("draining", "the server is shutting down; running answers end first")
    if market.db.damage is not None:
        return _not_ready("database_damaged", market.db.damage)
    try:
        await market.probe.check()
    except (Unavailable, sa.exc.SQLAlchemyError):
        return _not_ready("database_unavailable", f"the database took no write within {LIMIT_S:.0f} s")
    local = market.local.status
    if local.state == "starting" and market.local.first_start:
        return _not_ready("starting", local.words)
    return ExactJSON(
        {"status": "ready", "local_model": {"state": local.state, "words": local.words, "model": local.model}}
    )


def _not_ready(status: str, reason: str) -> Response:
    return ExactJSON({"status": status, "reason": reason}, status_code=503)


def _may_read(market: Market, request: Request) -> None:
    """Figures are the operator's: with the token, or from this machine itself, neither through a proxy nor by a rebound name."""
    settings, headers, peers = market.settings, read_headers(request.scope), request.scope.get("peers")
    if settings.metrics == "open" or (peers is not None and peers.asks(headers)):
        return
    given = headers.get("authorization", "").removeprefix("Bearer ").encode()
    if settings.metrics_token is not None and hmac.compare_digest(given, settings.metrics_token.encode()):
        return
    if not from_here(request.scope, headers):
        raise Unauthorized(
            "Metrics are read from this machine, or with MARKETPLACE_METRICS_TOKEN (docs/operations.md)"
        )


@router.get("/metrics", summary="Prometheus metrics")
async def metrics(market: The, request: Request) -> Response:
    _may_read(market, request)
    peers = peers_of(request)
    own = tally(market, request.app.state.answered, request.scope.get("peers"))
    if peers is None and request.scope.get("peers") is not None:
        return Response(json.encode(own), media_type="application/json")  # another worker adds it to its own
    others = await peers.ask_all(market.client, request.url.path) if peers is not None else []
    return Response(
        await render_metrics(market, [own, *map(read_tally, others)]), media_type=CONTENT_TYPE_LATEST
    )
