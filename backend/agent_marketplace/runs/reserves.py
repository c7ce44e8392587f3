"""What of a cap a run's first step may cost, and what is kept of it for a last answer."""

import msgspec

from agent_marketplace.errors import MarketplaceError
from agent_marketplace.runs.asking import call_of, last_turns
from agent_marketplace.runs.kit import Kit
from agent_marketplace.runs.types import Context, Head, turns
from agent_marketplace.wires.base import Tool as Offered

_LAST_TOKENS = 512


async def needed(kit: Kit, user_id: str, context: Context) -> tuple[int, int]:
    """(what is kept for a last answer, what the first step may cost), nano-dollars. Raises what planning raises."""
    offered = await kit.tools.of(user_id, context.spec)
    tools = tuple(
        Offered(name=n, description=t.description, parameters=t.parameters) for n, t in offered.items()
    )
    first = await kit.asks.most(user_id, call_of(kit.codec, context.spec, turns(context, []), tools))
    if not tools:  # one step, which is the answer
        return 0, first
    return await _last(kit, user_id, context, tools), first


async def again(kit: Kit, head: Head) -> int:
    """What to keep for another last answer of a run that has given one and goes on; 0 where it has its reserve, or none is needed."""
    if head.final_nano or head.cap_nano is None:
        return 0
    context = await kit.records.context(head)
    if not context.spec.tools and not context.spec.subagents:
        return 0
    try:
        return await _last(kit, head.user_id, context, ())
    except MarketplaceError:  # its model is gone: the next step says so
        return 0


async def _last(kit: Kit, user_id: str, context: Context, tools: tuple[Offered, ...]) -> int:
    call = call_of(kit.codec, context.spec, last_turns(turns(context, []), "", bare=True), tools, last=True)
    return await kit.asks.most(user_id, msgspec.structs.replace(call, max_tokens=_LAST_TOKENS))
