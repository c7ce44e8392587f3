"""`demo`: a server with a seeded account, for the guided tour. Its data lie apart from those of a real installation."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import cast

from uvicorn._types import ASGI3Application

from agent_marketplace import logs
from agent_marketplace.accounts.errors import EmailTaken
from agent_marketplace.accounts.user import User
from agent_marketplace.app import Market, build
from agent_marketplace.cli.common import load_settings
from agent_marketplace.cli.demo_seed import seed
from agent_marketplace.cli.lock import sole_server
from agent_marketplace.cli.serve import serve
from agent_marketplace.net.drain import Drain
from agent_marketplace.settings import Settings

EMAIL = "demo@example.com"


def run(host: str, port: int) -> int:
    """Seeds the account, says how to get in, serves. The password and the sign-in code are made anew at each start."""
    from agent_marketplace.api.demo import LIFETIME_S, Doorman, router_of
    from agent_marketplace.api.server import create

    settings = demo_settings(load_settings())
    logs.configure(settings)
    with sole_server(settings):
        password = f"demo-{secrets.token_urlsafe(9)}"
        print(f"Preparing the demo in {settings.data_dir} (apart from your own data) ...", flush=True)
        user = asyncio.run(_prepare(build(settings), password))

        def app(drain: Drain) -> ASGI3Application:
            market = build(settings, drain=drain)
            doorman = Doorman(user, market.clock)
            shown = f"[{host}]" if ":" in host else host
            print(
                f"Guided tour, signed in (once, within {LIFETIME_S // 60} minutes):\n"
                f"  http://{shown}:{port}/?tour=1#code={doorman.code}\n"
                f"Later: http://{shown}:{port}/?tour=1\n  {EMAIL}\n  {password}",
                flush=True,
            )
            return cast("ASGI3Application", create(market, [router_of(doorman)]))

        return serve(host, port, 1, settings=settings, app_factory=app)


def demo_settings(settings: Settings) -> Settings:
    """The operator's settings over a database and secrets of the demo's own: nothing of theirs is touched."""
    data_dir = settings.data_dir / "demo"
    return replace(
        settings,
        data_dir=data_dir,
        database_url=f"sqlite:///{data_dir / 'marketplace.db'}",
        jwt_secret=None,
        encryption_keys=(),
    )


async def _prepare(market: Market, password: str, say: Callable[[str], None] = print) -> User:
    """The demo account with its history. Starts and stops the market."""
    await market.start()
    try:
        auth = market.accounts.auth
        try:
            user = await auth.create_user(EMAIL, password, role="user")
        except EmailTaken:
            user = await auth.find_user(EMAIL)
            await auth.set_password(user.user_id, password)
        await seed(market, user.user_id, say)
        return user
    finally:
        await market.stop()
