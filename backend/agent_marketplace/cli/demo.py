"""`demo`: a server with a seeded account, for the guided tour."""

import asyncio
import secrets

from agent_marketplace.accounts.errors import EmailTaken
from agent_marketplace.app import build
from agent_marketplace.cli.common import load_settings
from agent_marketplace.cli.serve import serve

EMAIL = "demo@example.com"


def run(host: str, port: int) -> int:
    """Seeds the account, says how to sign in, serves. The password is made anew at each start."""
    from agent_marketplace.api.server import make_app

    settings = load_settings()
    password = f"demo-{secrets.token_urlsafe(9)}"
    market = build(settings)

    async def seed() -> None:
        auth = market.accounts.auth
        try:
            user = await auth.create_user(EMAIL, password)
            await auth.add_balance(user.user_id, "5", idempotency_key="demo-credit", memo="play credit of the tour")
        except EmailTaken:
            user = await auth.find_user(EMAIL)
            await auth.set_password(user.user_id, password)

    try:
        asyncio.run(seed())
    finally:
        market.accounts.close()
        market.db.close()
    print(f"Guided tour: open http://{host}:{port}/?tour=1 and sign in as\n  {EMAIL}\n  {password}", flush=True)
    return serve(host, port, 1, settings=settings, app_factory=make_app)
