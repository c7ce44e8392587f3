"""Picks, blocked models and what else is worth telling as the dicts that the API gives. Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from agent_marketplace.ledger import dollars
from agent_marketplace.recommend.conditions import Conditions
from agent_marketplace.recommend.question import MANY_CALLS, Blocked, Request
from agent_marketplace.recommend.reasons import evidence_level, gives_up, money, reasons
from agent_marketplace.recommend.results import USUAL_FILM_S, USUAL_SPEECH_S
from agent_marketplace.recommend.scoring import (
    FLOOR_NANO,
    Candidate,
    Pick,
    choose,
    is_demo,
    score_of,
    utility,
)
from agent_marketplace.recommend.selecting import Found, Near
from agent_marketplace.recommend.tasks import Analysis
from agent_marketplace.recommend.understood import Understood

_GIVES = {
    "image": "pictures", "video": "videos", "embedding": "vectors", "speech": "speech", "rerank": "an order of passages",
}  # fmt: skip
MORE_MONEY = 4.0
"""The most that a "what if" may multiply the cost by."""


def shown(
    pick: Pick, rank: int, picks: Sequence[Pick], analysis: Analysis, considered: int, *, judged: bool = True
) -> dict[str, Any]:
    """One pick. judged: as in `scoring.choose`."""
    c = pick.candidate
    said = reasons(pick, analysis, considered)
    return {
        "model": c.model,
        "effort": c.effort,
        "rank": rank,
        "role": pick.role,
        "roles": [pick.role, *pick.also],
        "score": pick.score,
        "reasoning": ". ".join(said) + ".",
        "reasons": said,
        "estimated_cost": dollars(c.list_cost.p50),
        "cost_range": {"p50": dollars(c.list_cost.p50), "p95": dollars(c.list_cost.p95)},
        "cost_basis": f"{c.lengths.samples} calls" if c.lengths.samples else "prior",
        "output_tokens": {"p50": c.lengths.p50, "p95": c.lengths.p95},
        "seconds": round(c.seconds, 1),
        "paid_by": "your own key" if c.own_key else "wallet",
        "provider": c.offer.provider,
        "is_available": True,
        "gives_up": gives_up(pick, picks, judged=judged),
        "confidence": analysis.to_dict()["confidence"],
        "evidence": evidence_level(c),
    }


def worth_telling(
    blocked: Sequence[Blocked], picks: Sequence[Pick], request: Request, limit: int
) -> list[dict[str, Any]]:
    """Up to three blocked models, if picks are few, or if one of them is clearly better than the best pick."""
    by_model = {b.candidate.model.id: b for b in blocked}
    analysis = request.analysis
    short = [b.candidate for b in blocked if b.missing.endswith("in the wallet")]
    keyless = [b.candidate for b in blocked if not b.missing.endswith("in the wallet")]
    # Money is sooner found than a provider's key: what only lacks money is told first.
    wanted = choose(short, request.priority, analysis.type, 2, analysis.difficulty)
    wanted += choose(keyless, request.priority, analysis.type, 3 - len(wanted), analysis.difficulty)
    best = max((p.candidate.quality.points for p in picks if not is_demo(p.candidate.model)), default=0.0)
    told = [p for p in wanted if len(picks) < limit or p.candidate.quality.points > best + 3 or best == 0.0]
    return [
        {
            "model": p.candidate.model,
            "effort": p.candidate.effort,
            "provider": p.candidate.offer.provider,
            "missing": by_model[p.candidate.model.id].missing,
            "score": p.score,
            "estimated_cost": dollars(p.candidate.list_cost.p50),
            "reason": p.candidate.quality.why,
        }
        for p in told
    ]


def near(found: Sequence[Near]) -> list[dict[str, Any]]:
    """What comes nearest where nothing fits, each with all that it breaks."""
    return [
        {
            "model": n.candidate.model,
            "effort": n.candidate.effort,
            "provider": n.candidate.offer.provider,
            "breaks": list(n.breaks),
            "score": score_of(n.candidate.quality.points),
            "estimated_cost": dollars(n.candidate.list_cost.p50),
            "cost_range": {
                "p50": dollars(n.candidate.list_cost.p50),
                "p95": dollars(n.candidate.list_cost.p95),
            },
        }
        for n in found
    ]


def what_if(found: Found, picks: Sequence[Pick], request: Request) -> list[dict[str, Any]]:
    """One line of what a little more money would buy, and one of what less would do."""
    if not picks or request.needs.output != "text" or is_demo(picks[0].candidate.model):
        return []
    first, analysis = picks[0].candidate, request.analysis
    mine = score_of(first.quality.points)
    others = [c for c in found.usable if c.model.id != first.model.id and not is_demo(c.model)]
    dearer = [
        c
        for c in others
        if first.list_cost.p50 < c.list_cost.p50 <= max(MORE_MONEY * first.list_cost.p50, 1_000_000)
        and score_of(c.quality.points) >= mine + 0.3
    ]
    cheaper = [
        c
        for c in others
        if c.list_cost.p50 * 2 <= first.list_cost.p50 and first.list_cost.p50 - c.list_cost.p50 >= FLOOR_NANO
    ]
    lines = []
    if dearer:
        lines.append(_change(max(dearer, key=lambda c: (c.quality.points, -c.list_cost.p50)), first, "more"))
    if cheaper:
        best = max(cheaper, key=lambda c: utility(c, request.priority, analysis.type, analysis.difficulty))
        lines.append(_change(best, first, "less"))
    return lines


def _change(c: Candidate, first: Candidate, way: str) -> dict[str, Any]:
    gap = abs(c.list_cost.p50 - first.list_cost.p50)
    gain = round(score_of(c.quality.points) - score_of(first.quality.points), 1)
    effort = f" at {c.effort} effort" if c.effort not in (None, "none") else ""
    return {
        "says": f"for {money(gap)} {way} a call: {c.model.name}{effort}, {gain:+.1f} of 10",
        "model_id": c.model.id,
        "effort": c.effort,
        "cost_change": dollars(c.list_cost.p50 - first.list_cost.p50),
        "score_change": Decimal(str(gain)),
    }


def chips(read: Sequence[Understood]) -> list[dict[str, Any]]:
    """Conditions read off the words. `id` goes into `ignore` to take one back."""
    return [{"id": u.kind, "value": u.value, "words": u.words, "text": u.says} for u in read]


_UNSAID_LENGTH = {
    "video": f"how long the film shall be was not said: priced as {USUAL_FILM_S} seconds",
    "speech": f"how long the speech is was not said: priced by the text, or as {USUAL_SPEECH_S} seconds",
}
_SIZES = {"audio": "recording", "video": "film", "pdf": "PDF"}


def notes(found: Found, conditions: Conditions, request: Request, unread: Sequence[str] = ()) -> list[str]:
    """What was not known, what no model was asked for, and what a budget buys. unread: attachments that no model takes."""
    said = [f"{kind} is not known for {n} models: left out" for kind, n in sorted(found.unknown.items())]
    if conditions.budget is not None and not conditions.calls:
        said.append("a budget without a number of calls caps no single call: say how many you plan")
    sizeless = [_SIZES[kind] for kind in ("audio", "video", "pdf") if kind in conditions.inputs]
    if sizeless and conditions.input_tokens is None:
        said.append(
            f"how long the {' and the '.join(sizeless)} is was not said: its price is not part of the cost shown"
        )
    if conditions.language is not None:
        said.append(
            "how well a model writes this language is published for few models: not part of the ranking"
        )
    said += [f"{name}: no model takes such a file as it is; its text has to go along" for name in unread]
    if request.needs.output != "text" and not (found.usable or found.blocked):
        said.append(f"no model of this catalogue gives {_GIVES[request.needs.output]} under these conditions")
        if request.needs.output == "rerank":
            said.append(
                "a model that writes text can order passages too: take the kind of result back, or send output: text"
            )
    elif request.needs.output != "text":
        if request.needs.output in ("video", "speech") and not request.needs.answer_tokens:
            said.append(_UNSAID_LENGTH[request.needs.output])
        said.append(
            "no public results are compared for this kind of model: ordered by price and by day of release"
        )
    return said


def in_all(conditions: Conditions, picks: Sequence[Pick], read: Sequence[Understood] = ()) -> list[str]:
    """What all planned calls would cost with the first pick, in all or in the period that was read."""
    if not conditions.calls or not picks:
        return []
    cost = picks[0].candidate.cost
    many = conditions.calls >= MANY_CALLS
    about, most = (money(n * conditions.calls) for n in (cost.mean if many else cost.p50, cost.p95))
    said = next((u.says for u in read if u.kind == "calls"), "")
    often = next(
        (f"a {p}" for p in ("day", "week", "month", "quarter", "year") if said.endswith(f" a {p}")), "in all"
    )
    beyond = "" if many else f", seldom more than {most}"
    return [f"{conditions.calls:,} calls with the first pick: about {about} {often}{beyond}"]


def conditions_dict(conditions: Conditions) -> dict[str, Any]:
    """The conditions that held, without those that say nothing."""
    held = {k: v for k, v in msgspec.structs.asdict(conditions).items() if v not in (None, False, ())}
    if held.get("output") == "text":
        del held["output"]
    return held
