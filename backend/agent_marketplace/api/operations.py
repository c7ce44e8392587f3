"""Health, readiness, metrics."""

import asyncio

import sqlalchemy as sa
from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from agent_marketplace import json
from agent_marketplace.api.deps import Router, The
from agent_marketplace.api.envelope import ExactJSON
from agent_marketplace.api.metrics import read_tally, render_metrics, tally
from agent_marketplace.api.peers import peers_of
from agent_marketplace.errors import Unavailable

router = Router(tags=["operations"])
_DATABASE_S = 2.0


@router.get("/healthz", summary="The process lives (touches nothing)")
async def healthz() -> Response:
    return ExactJSON({"status": "ok"})


@router.get("/readyz", summary="Ready for requests: not draining, database answers, embedded model up")
async def readyz(market: The) -> Response:
    if market.drain.draining:
        return _not_ready("draining", "the server is shutting down; running answers end first")
    try:
        async with asyncio.timeout(_DATABASE_S):
            await market.db.read(lambda c: c.execute(sa.select(1)).scalar())
    except (TimeoutError, Unavailable, sa.exc.SQLAlchemyError):
        return _not_ready("database_unavailable", f"the database did not answer within {_DATABASE_S:.0f} s")
    local = market.local.status
    if local.state == "starting" and market.local.first_start:
        return _not_ready("starting", local.words)
    return ExactJSON(
        {"status": "ready", "local_model": {"state": local.state, "words": local.words, "model": local.model}}
    )


def _not_ready(status: str, reason: str) -> Response:
    return ExactJSON({"status": status, "reason": reason}, status_code=503)


@router.get("/metrics", summary="Prometheus metrics")
async def metrics(market: The, request: Request) -> Response:
    own, peers = tally(market, request.app.state.answered), peers_of(request)
    if peers is None and request.scope.get("peers") is not None:
        return Response(json.encode(own), media_type="application/json")  # another worker adds it to its own
    others = await peers.ask_all(market.client, request.url.path) if peers is not None else []
    return Response(
        await render_metrics(market, [own, *map(read_tally, others)]), media_type=CONTENT_TYPE_LATEST
    )
