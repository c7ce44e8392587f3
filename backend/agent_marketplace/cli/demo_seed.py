"""What the demo account has done before the visitor comes: every row is made by the service that makes it for anybody."""

from collections.abc import Callable, Mapping
from typing import Any

from agent_marketplace.accounts.keys import Cap
from agent_marketplace.api.v1 import chats
from agent_marketplace.app import Market
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.gateway.agent_wire import AgentMouth

_LOCAL = "smollm2-135m"
_FAVOURITES = ("claude-sonnet-4-5", _LOCAL)
_READY_S = 60
# One conversation each; questions that a very small model answers well enough to be read.
_QUESTIONS = (
    "Explain in three sentences what a database transaction is.",
    "Give me five short names for a coffee shop by the sea.",
    "What is a mutex, and when do I need one? Answer briefly.",
)


async def seed(
    market: Market, user_id: str, say: Callable[[str], None], *, ready_s: float = _READY_S
) -> None:
    """Wallet, plan, key, favourites, a preset and real chats with the demo model; once, whatever is there already stays.

    ready_s: seconds that the demo model may take to start.
    """
    auth = market.accounts.auth
    await auth.add_balance(user_id, "20", idempotency_key="demo-credit", memo="play credit of the tour")
    await auth.subscribe(user_id, "pro", idempotency_key="demo-plan")
    if not await market.accounts.keys.list(user_id):
        cap = Cap(2_500_000_000, "month")
        await market.accounts.keys.create(user_id, "Zed on my laptop", cap=cap, expires_in_days=90)
    if not await market.favourites.list(user_id):
        for name in _FAVOURITES:
            if (model := market.registry.resolve(name)) is not None:
                await market.favourites.add(user_id, model.id)
    if not await market.agents.list(user_id):
        await market.agents.create(
            user_id,
            name="Code reviewer",
            model="auto",
            instructions="Review the code I send. Name bugs first, then risks, then style; quote the line each time.",
            parameters={"max_tokens": 600, "temperature": 0.2},
        )
    if not (await market.conversations.list(user_id, limit=1)).conversations:
        await _chat(market, user_id, say, ready_s)


async def _chat(market: Market, user_id: str, say: Callable[[str], None], ready_s: float) -> None:
    """Real answers with real receipts; none where the demo model does not run."""
    say("Asking the demo model a few questions, so that there is a history to look at (first start only) ...")
    if not await market.local.wait_ready(ready_s):
        say(f"The history stays empty: {market.local.status.words}.")
        return
    try:
        for question in _QUESTIONS:
            await _turn(
                market, user_id, {"model": _LOCAL, "message": question, "max_tokens": 160, "temperature": 0}
            )
    except MarketplaceError as error:
        say(f"The history is shorter than planned: {error.message}")


async def _turn(market: Market, user_id: str, body: Mapping[str, Any]) -> None:
    """One turn of a conversation as `POST /api/v1/agents/chat` runs it."""
    turn = await chats.read_turn(market, user_id, body)
    call = chats.call_for(market, turn, await chats.history_of(market, turn))
    keeper = chats.Keeper(market, turn, chats.new_run_id())
    request = chats.request_of(user_id, None, call, keeper.fields, keeper)
    flight = market.router.flight(request)
    await flight.open()
    try:
        await keeper.take_off(flight.record)
    except BaseException:  # whatever it was, the hold must not outlive the request
        await flight.abandon()
        raise
    request.mouth = AgentMouth(keeper.fields)
    request.detail |= keeper.fields
    await flight.plain()
