"""The loop itself: turn after turn, until this worker is done with the run."""

from agent_marketplace.errors import Forbidden
from agent_marketplace.runs.driving import Driver
from agent_marketplace.runs.tooling import tools_turn

REVOKED = Forbidden(
    "The key that began this run is revoked or over, or its account suspended", code="not_allowed"
)
SUSPENDED = Forbidden("This version was suspended: the run was stopped here", code="agent_suspended")


async def drive(driver: Driver) -> None:
    """Returns when the run has ended, waits for its user, was taken over, or is left to another worker."""
    head, context = driver.head, driver.context
    driver.offered = await driver.kit.tools.of(head.user_id, context.spec, context.ancestors, head.depth)
    for name in absent(driver):
        driver.live.emit("tool.absent", {"name": name})
    over = False
    while not over and not driver.live.lost and not driver.live.leaving:
        over = await _turn(driver)


def absent(driver: Driver) -> list[str]:
    """Tools of the version that are not offered: gone, unreachable, or no longer what was approved."""
    there = set(driver.offered)
    names = [(r, r.name if not r.server else f"{r.server}/{r.name}") for r in driver.context.spec.tools]
    here = {f"{t.payee.removeprefix('tool:')}/{t.source}" for t in driver.offered.values() if t.source}
    return [shown for ref, shown in names if (shown not in here if ref.server else ref.name not in there)]


async def _turn(driver: Driver) -> bool:
    if driver.live.stopping:
        return await driver.end("cancelled", "cancelled", "")
    if await driver.kit.agents.stopped(driver.context.spec):
        return await driver.end("failed", "agent_suspended", "", SUSPENDED)
    if not await driver.kit.may_spend(driver.head.user_id, driver.head.key_id):
        return await driver.end("failed", "not_allowed", "", REVOKED)
    why = driver.beyond()
    if why == "loop" or not driver.planned():
        return await (driver.last_words(why) if why else driver.model_step())
    return await tools_turn(driver)
