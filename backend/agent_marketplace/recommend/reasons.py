"""Words for a buyer: why a model is recommended, what it costs, and what one gives up by taking it. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from agent_marketplace.ledger import dollars
from agent_marketplace.recommend.scoring import Candidate, Pick, is_demo, score_of, speed_measured
from agent_marketplace.recommend.tasks import Analysis

_ROLE = {
    "recommended": "Recommended",
    "best": "Best quality",
    "value": "Best value",
    "cheapest": "Cheapest that is good enough",
    "fastest": "Fastest that is good enough",
    "alternative": "Alternative",
}
_HOLDS = {
    "best": "best quality", "value": "best value", "cheapest": "cheapest that is good enough", "fastest": "fastest that is good enough",
}  # fmt: skip
_LEVEL = {"measured": "high", "proxy": "medium", "inherited": "medium", "family": "low", "prior": "low"}
_TASK = {
    "debugging": "debugging", "code_generation": "writing code", "code_review": "code review", "documentation": "documentation",
    "explain_concept": "explanations", "brainstorming": "ideas and creative text", "summarisation": "summaries",
    "translation": "translation", "data_extraction": "data extraction", "maths": "maths", "vision": "questions about pictures",
    "tool_use": "tool use", "quick_task": "short questions",
}  # fmt: skip


def money(nano: int) -> str:
    """A short amount: `$0`, `$0.0004`, `$0.012`, `$1.25`; less than a hundredth of a cent as `< $0.0001`."""
    if nano == 0:
        return "$0"
    amount = dollars(nano)
    if amount < Decimal("0.0001"):
        return "< $0.0001"
    places = "0.0001" if amount < Decimal("0.01") else "0.001" if amount < 1 else "0.01"
    return f"${amount.quantize(Decimal(places))}"


def evidence_level(c: Candidate) -> str:
    """high, medium or low: how much stands behind the quality."""
    return _LEVEL[c.quality.level]


def reasons(pick: Pick, analysis: Analysis, considered: int) -> list[str]:
    """The case for a pick, one clause each: role, evidence, cost, time, fit."""
    c = pick.candidate
    if is_demo(c.model):
        return [
            "The only model that can answer here without a key: a tiny demo model, fine for trying things out, weak at real work",
            "It runs on this machine and costs nothing",
        ]
    task = _TASK.get(analysis.type, "this task")
    choice = "the only model" if considered == 1 else f"out of {considered} models"
    held = [_HOLDS[role] for role in pick.also if role in _HOLDS] if considered > 1 else []
    superlatives = (
        f": {' and '.join([', '.join(held[:-1]), held[-1]] if len(held) > 1 else held)}" if held else ""
    )
    out = [f"{_ROLE[pick.role]} for {task}{superlatives}, {choice} that you can use now"]
    out.append(c.quality.why[0].upper() + c.quality.why[1:])
    out.append(_cost_words(c))
    basis = (
        "measured here" if speed_measured(c.model) else "guessed from its price and length, not measured yet"
    )
    time = f"About {c.seconds:.0f} s" if c.seconds >= 1 else "About a second"
    out.append(f"{time} to a whole answer, {basis}")
    if c.effort is not None:
        out.append(
            "Without thinking"
            if c.effort == "none"
            else f"At {c.effort} effort: score, cost and time are of it"
        )
    fit = _fit(c, analysis)
    return [*out, fit] if fit else out


def _cost_words(c: Candidate) -> str:
    behind = (
        f"from {c.lengths.samples} calls here"
        if c.lengths.samples
        else "estimated from typical answer lengths"
    )
    if c.list_cost.p95 == 0:
        return "Costs nothing"
    said = f"About {money(c.list_cost.p50)}, rarely more than {money(c.list_cost.p95)} a call, {behind}"
    return f"{said}; billed by {c.offer.provider} to your own key" if c.own_key else said


def _fit(c: Candidate, analysis: Analysis) -> str | None:
    if (analysis.has_images or analysis.type == "vision") and "image" in c.offer.input_modalities:
        return "Takes images"
    if analysis.long_context:
        return f"Its context holds {c.offer.context:,} tokens" if c.offer.context else None
    if analysis.type == "tool_use" and "tools" in c.offer.supported_parameters:
        return "Calls tools"
    return None


def gives_up(pick: Pick, others: Sequence[Pick], *, judged: bool = True) -> str | None:
    """What a buyer gives up against the other picks: the better one, the cheaper one or the faster one.

    judged: results and speeds of this kind of model are known.
    """
    c = pick.candidate
    rest = [p.candidate for p in others if p.candidate.model.id != c.model.id]
    mine = score_of(c.quality.points)
    better = [
        o for o in rest if o.quality.points >= c.quality.points + 2 and score_of(o.quality.points) > mine
    ]
    cheaper = [
        o for o in rest if o.list_cost.p50 * 2 <= c.list_cost.p50 and o.list_cost.p50 < c.list_cost.p50
    ]
    quicker = [o for o in rest if o.seconds * 2 <= c.seconds]
    if judged and better:
        top = max(better, key=lambda o: (o.quality.points, o.model.id))
        return f"some quality: {top.model.name} is rated {score_of(top.quality.points) - mine:.1f} of 10 higher for this task"
    if cheaper:
        low = min(cheaper, key=lambda o: (o.list_cost.p50, o.model.id))
        if low.list_cost.p50 == 0:
            return f"it costs money, {low.model.name} does not"
        return f"it costs {round(c.list_cost.p50 / low.list_cost.p50)} times what {low.model.name} costs"
    if judged and quicker:
        fast = min(quicker, key=lambda o: (o.seconds, o.model.id))
        return f"time: {fast.model.name} needs about {fast.seconds:.0f} s instead of {c.seconds:.0f} s"
    return None
