"""The whole HTTP application: the hot path in front, FastAPI behind it, the web UI for everything else."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI
from uvicorn._types import ASGI3Application

from agent_marketplace import __version__, logs, settings
from agent_marketplace.api import (
    compat,
    editors,
    envelope,
    oauth_metadata,
    ollama,
    openrouter,
    operations,
    ui,
)
from agent_marketplace.api.a2a import endpoint as a2a
from agent_marketplace.api.catalog_views import CatalogView
from agent_marketplace.api.counting import Counting
from agent_marketplace.api.deps import Router
from agent_marketplace.api.hot import App, Hot
from agent_marketplace.api.inflating import Inflating
from agent_marketplace.api.manners import Manners
from agent_marketplace.api.mcp import endpoint as mcp
from agent_marketplace.api.openapi import install_openapi
from agent_marketplace.api.origins import Origins
from agent_marketplace.api.stopping import Stopping
from agent_marketplace.api.v1 import (
    activity,
    admin,
    admin_agents,
    admin_alerts,
    admin_mail,
    admin_operating,
    admin_payments,
    admin_people,
    admin_prices,
    admin_reports,
    ai_agent_routes,
    ai_marketplace_routes,
    assistant,
    billing,
    comparisons,
    conversations,
    devices,
    documents,
    evaluations,
    keys,
    leaderboard,
    library,
    mail,
    offered,
    payments,
    runs,
    tool_servers,
)
from agent_marketplace.app import Market, build
from agent_marketplace.net.drain import Drain


def make_app(drain: Drain) -> ASGI3Application:
    """The application of one serving process, from the environment. Raises SettingsError, MigrationError."""
    chosen = settings.load()
    logs.configure(chosen)
    return cast("ASGI3Application", create(build(chosen, drain=drain)))


def create(market: Market, extra: Sequence[Router] = ()) -> App:
    """The application over a market; its lifespan starts and stops the market. extra: routes of one mode only."""
    app = cold(market, extra)
    served: App = Stopping(Inflating(Hot(market, app)), app, market.drain)
    if market.settings.cors_origins:
        served = Origins(served, market.settings.cors_origins)
    counted = Counting(served)
    app.state.answered = counted.answered
    return Manners(counted)


def cold(market: Market, extra: Sequence[Router] = ()) -> FastAPI:
    """Everything but the hot path."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await market.start()
        try:
            yield
        finally:
            await market.stop()

    app = FastAPI(
        title="AI Agent Marketplace",
        version=__version__,
        description="Find, compare, pay for and use AI models and agents.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.market = market
    app.state.catalog_view = CatalogView(market.registry)
    envelope.install(app)
    for module in (
        operations,
        ai_marketplace_routes,
        assistant,
        activity,
        billing,
        mail,
        payments,
        admin,
        admin_agents,
        admin_alerts,
        admin_mail,
        admin_payments,
        admin_operating,
        admin_prices,
        admin_people,
        admin_reports,
        keys,
        devices,
        oauth_metadata,
        offered,
        comparisons,
        leaderboard,
        evaluations,
        library,
        conversations,
        documents,
        runs,
        tool_servers,
        ai_agent_routes,
        compat,
        ollama,
        openrouter,
        mcp,
        a2a,
        editors,
    ):
        # include_router would build each route a second time, at the first request: 0.2 s of CPU
        app.router.routes += module.router.routes
    for router in extra:
        app.router.routes += router.routes
    install_openapi(app)
    ui.install(app, frame_ancestors=market.settings.frame_ancestors)
    return app
