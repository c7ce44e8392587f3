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
    await offer(driver)
    over = False
    while not over and not driver.live.lost and not driver.live.leaving:
        over = await _turn(driver)


async def offer(driver: Driver, *, midway: bool = False) -> None:
    """The tools as they are now; those that are absent for the first time are told."""
    head, context, gone = driver.head, driver.context, set(absent(driver)) if midway else set()
    driver.offered = await driver.kit.tools.of(
        head.user_id, context.spec, context.ancestors, head.depth, midway=midway
    )
    for name in absent(driver):
        if name not in gone:
            driver.live.emit("tool.absent", {"name": name})


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
    over = await tools_turn(driver)
    if not over and any(ref.server for ref in driver.context.spec.tools):
        await offer(driver, midway=True)  # a server may have changed while it was called
    return over
