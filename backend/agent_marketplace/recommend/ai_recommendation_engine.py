"""Q Assistant: which model for this task, this budget and this user, with reasons. The same engine serves `model: "auto"`."""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from agent_marketplace.catalog import AIModel, MarketplaceRegistry, Offer
from agent_marketplace.clock import Clock, SystemClock
from agent_marketplace.errors import BadRequest
from agent_marketplace.ledger import Price, dollars, nano
from agent_marketplace.recommend import auto
from agent_marketplace.recommend import needs as filters
from agent_marketplace.recommend.estimate import (
    DEFAULT_CAP,
    CostRange,
    Lengths,
    blend,
    expected_cost,
    hold_tokens,
    prior_lengths,
)
from agent_marketplace.recommend.learning import Experience
from agent_marketplace.recommend.quality import Quality, QualityTable
from agent_marketplace.recommend.reasons import evidence_level, gives_up, money, reasons
from agent_marketplace.recommend.scoring import (
    Candidate,
    Pick,
    Priority,
    choose,
    is_demo,
    score_of,
    seconds_for,
)
from agent_marketplace.recommend.tasks import Analysis, analyze

log = logging.getLogger(__name__)
MAX_PICKS = 20
_PERIODS = ("day", "week", "month")


class Customer(Protocol):
    """What the engine reads of an account."""

    @property
    def balance(self) -> Decimal: ...

    @property
    def api_keys(self) -> Mapping[str, str]: ...


class Accounts(Protocol):
    """`AIAuthService`, as far as the engine needs it."""

    async def get_user(self, user_id: str) -> Customer: ...


class Wallet(msgspec.Struct, frozen=True):
    """Who asks. available_nano: what the wallet can pay, None = not limited; own_keys: providers the user has a key of."""

    available_nano: int | None = None
    own_keys: frozenset[str] = frozenset()


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One question in full. max_cost_nano: the most that one call may cost, nano-dollars."""

    analysis: Analysis
    needs: filters.Needs
    wallet: Wallet
    priority: Priority = "balanced"
    max_cost_nano: int | None = None


class Blocked(msgspec.Struct, frozen=True):
    """A model that would be among the picks if `missing` were there."""

    candidate: Candidate
    missing: str


class Recommendations(msgspec.Struct, frozen=True):
    """Picks that can be used now (dicts as in `get_recommendations`), and better models with what they lack."""

    analysis: dict[str, Any]
    recommendations: list[dict[str, Any]]
    blocked: list[dict[str, Any]]


class RecommendationEngine:
    """Ranks the catalogue's models. Holds no per-user state; `set_experience` swaps what was learnt from own calls."""

    def __init__(
        self,
        registry: MarketplaceRegistry,
        auth: Accounts,
        *,
        clock: Clock | None = None,
        quality: QualityTable | None = None,
    ) -> None:
        self.registry = registry
        self.auth = auth
        self._clock = clock or SystemClock()
        self.quality = quality or QualityTable(registry, self._today())
        self.experience = Experience()
        self._memory = auto.Memory()
        self._types: dict[str, str] = {}

    def set_experience(self, experience: Experience) -> None:
        """Ratings, output lengths and trends of this installation (recommend/learning.py)."""
        self.experience = experience

    def catalogue_changed(self) -> None:
        """Recomputes family means after the registry got another snapshot."""
        self.quality = QualityTable(self.registry, self._today())

    # --- the guide's methods -----------------------------------------------------------------------------------------------------

    def analyze_task(self, task_description: str) -> dict[str, Any]:
        """Type, calibrated confidence, keywords, and a question where the text leaves it open."""
        return analyze(task_description).to_dict()

    def score_model_for_task(self, model: AIModel, task_type: str) -> float:
        """1..10: public results for the task, shrunk by evidence, with this installation's own ratings."""
        return score_of(self._quality_of(model, task_type).points)

    def get_trending_models(self, time_period: str = "week") -> list[AIModel]:
        """Five models whose calls grew most against the period before (day, week or month); without traffic, the popular ones."""
        if time_period not in _PERIODS:
            raise BadRequest(f"Unknown period {time_period[:40]!r}; known: {', '.join(_PERIODS)}")
        rising = [
            self.registry.get_model_by_id(model_id)
            for model_id in self.experience.trending.get(time_period, ())
        ]
        found = [m for m in rising if m is not None and not m.retired]
        rest = [m for m in self.registry.get_popular_models(20) if m.id not in {f.id for f in found}]
        return [*found, *rest][:5]

    async def get_recommendations(
        self, user_id: str | None, task: str, limit: int = 3, **options: Any
    ) -> list[dict[str, Any]]:
        """The picks of `recommend`, the first the recommended one; fewer than `limit` where fewer can be used."""
        return (await self.recommend(user_id, task, limit, **options)).recommendations

    async def recommend(
        self,
        user_id: str | None,
        task: str,
        limit: int = 3,
        *,
        priority: Priority = "balanced",
        max_cost: Decimal | int | str | None = None,
        input_tokens: int | None = None,
        attachments: Sequence[str | Mapping[str, Any]] = (),
        require: Sequence[str] = (),
        available_nano: int | None = None,
    ) -> Recommendations:
        """Picks and what is blocked. max_cost: dollars for one call; available_nano: the wallet less its holds, if known.

        Raises BadRequest for an unknown requirement and what the accounts raise for an unknown user.
        """
        analysis = analyze(task, attachments=attachments, input_tokens=input_tokens)
        wallet = await self._wallet(user_id, available_nano)
        request = self.request(analysis, wallet, priority=priority, max_cost=max_cost, require=require)
        usable, blocked = self.candidates(request)
        picks = choose(usable, self._priority(request), analysis.type, min(limit, MAX_PICKS))
        return Recommendations(
            analysis=analysis.to_dict(),
            recommendations=[
                self._shown(p, i + 1, picks, analysis, len(usable)) for i, p in enumerate(picks)
            ],
            blocked=self._worth_telling(blocked, picks, request, limit),
        )

    # --- steps, shared with `auto` ------------------------------------------------------------------------------------------------

    def request(
        self,
        analysis: Analysis,
        wallet: Wallet,
        *,
        priority: Priority = "balanced",
        max_cost: Decimal | int | str | None = None,
        require: Sequence[str] = (),
    ) -> Request:
        """Puts the question together. max_cost: dollars."""
        cap = None if max_cost is None else nano(max_cost)
        expected = analysis.wanted_output_tokens or 0
        return Request(
            analysis=analysis,
            needs=filters.needs_of(analysis, expected, require),
            wallet=wallet,
            priority=priority,
            max_cost_nano=cap,
        )

    def candidates(self, request: Request) -> tuple[list[Candidate], list[Blocked]]:
        """Every model that meets the needs: those that can be used and paid now, and those that lack a key or money."""
        usable: list[Candidate] = []
        blocked: list[Blocked] = []
        today = self._today()
        for model in self.registry.get_all_models():
            if model.retired or not filters.answers_text(model):
                continue
            card = model.context_window
            offers = [
                o
                for o in self.registry.offers(model.id)
                if filters.lacks(o, request.needs, today, card) is None
            ]
            found = self._first_usable(model, offers, request)
            if isinstance(found, Candidate):
                usable.append(found)
            elif found is not None:
                blocked.append(found)
        return usable, blocked

    # --- for the gateway -----------------------------------------------------------------------------------------------------------

    def choose(
        self, user_id: str, call: auto.Call, wants: auto.CallNeeds, wishes: auto.Wishes, wallet: Wallet
    ) -> list[tuple[str, str]]:
        """`model: "auto"`: (model id, why), the first to be tried first. Never raises; empty only if nothing could answer."""
        try:
            return self._choose(user_id, call, wants, wishes, wallet)
        except Exception:  # a fault of ours must not fail a call: fall back to popularity
            log.exception("auto: could not choose; taking the most popular models")
            found = [m for m in self.registry.get_all_models() if m.is_available and filters.answers_text(m)]
            found.sort(key=is_demo)
            return [
                (m.id, "the most popular model here: choosing by task failed") for m in found[: auto.ATTEMPTS]
            ]

    def _choose(
        self, user_id: str, call: auto.Call, wants: auto.CallNeeds, wishes: auto.Wishes, wallet: Wallet
    ) -> list[tuple[str, str]]:
        analysis = analyze(auto.last_text(call), input_tokens=wants.input_tokens)
        required = (
            ("tools", wants.tools),
            ("structured_output", wants.structured),
            ("reasoning", wants.reasoning),
        )
        needs = filters.Needs(
            input_tokens=wants.input_tokens,
            output_tokens=wants.output_tokens or 0,
            names=frozenset(name for name, asked in required if asked),
            vision=wants.images,
        )
        usable, blocked = self.candidates(Request(analysis=analysis, needs=needs, wallet=wallet))
        key = auto.conversation_key(user_id, call, wishes)
        fitting = [c for c in usable if auto.allowed(c, wishes)]
        ordered = auto.order(fitting, analysis, wishes, self._memory.get(key))
        if ordered:
            self._memory.put(key, ordered[0][0])
            return ordered
        lacking = [b.candidate for b in blocked if auto.allowed(b.candidate, wishes)]
        return auto.order(lacking, analysis, wishes)

    def output_range(self, model_id: str, call: auto.Call) -> tuple[int, int]:
        """Output tokens of a model's answers to such a call: median and 95th percentile."""
        model = self.registry.resolve(model_id)
        history = self.experience.lengths.get(model_id)
        if model is None:
            return DEFAULT_CAP // 2, DEFAULT_CAP
        lengths = blend(
            prior_lengths(model, self._type_of(auto.last_text(call)), None, self.quality.result(model.id)),
            history,
        )
        return lengths.p50, lengths.p95

    def usual_output(self, model_id: str) -> int:
        """Output tokens that a hold buys when the caller names no cap."""
        return hold_tokens(self.experience.lengths.get(model_id))

    def lengths(self, model: AIModel, analysis: Analysis) -> Lengths:
        """Expected output tokens: stated prior blended with this installation's calls of the model."""
        prior = prior_lengths(
            model, analysis.type, analysis.wanted_output_tokens, self.quality.result(model.id)
        )
        return blend(prior, self.experience.lengths.get(model.id))

    def _type_of(self, text: str) -> str:
        """The task type, remembered for the last 1,000 different texts: the hot path asks more than once per call."""
        known = self._types.get(text)
        if known is None:
            if len(self._types) >= 1000 or len(text) > 20_000:
                self._types.clear()
            known = self._types[text] = analyze(text, input_tokens=0).type
        return known

    # --- inside ---------------------------------------------------------------------------------------------------------------------

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).date()

    async def _wallet(self, user_id: str | None, available_nano: int | None) -> Wallet:
        if user_id is None:
            return Wallet(available_nano)
        user = await self.auth.get_user(user_id)
        available = nano(user.balance) if available_nano is None else available_nano
        return Wallet(available, frozenset(user.api_keys))

    def _priority(self, request: Request) -> Priority:
        """A stated cap on the price means: as good as possible within it; "cheap" in the text means cost."""
        if request.priority != "balanced":
            return request.priority
        if request.analysis.budget_conscious:
            return "cost"
        return "quality" if request.max_cost_nano is not None else "balanced"

    def _quality_of(self, model: AIModel, task: str) -> Quality:
        quality = self.quality.of(model, task)
        shift, words = self.experience.shift(model.id)
        if not words:
            return quality
        return Quality(points=quality.points + shift, level=quality.level, why=f"{quality.why}; {words}")

    def _first_usable(
        self, model: AIModel, offers: Sequence[Offer], request: Request
    ) -> Candidate | Blocked | None:
        """The first offer that can be called and paid, own keys first; else what stands in the way of the first one."""
        blocked: Blocked | None = None
        known: tuple[Quality, Lengths] | None = None
        for offer in sorted(offers, key=lambda o: o.provider not in request.wallet.own_keys):
            if offer.price is None:
                continue  # nobody can say what it would cost, not even on an own key: no range, no cap and no "cheapest" would be true
            own_key = offer.provider in request.wallet.own_keys
            reason = None if own_key else self.registry.unavailable_reason(offer)
            if reason is not None and blocked is not None:
                continue
            known = known or (
                self._quality_of(model, request.analysis.type),
                self.lengths(model, request.analysis),
            )
            candidate = self._candidate(model, offer, offer.price, request, *known, own_key=own_key)
            if request.max_cost_nano is not None and candidate.list_cost.p95 > request.max_cost_nano:
                continue
            missing = reason or self._missing_money(candidate, request.wallet)
            if missing is None:
                return candidate
            blocked = blocked or Blocked(candidate, missing)
        return blocked

    @staticmethod
    def _missing_money(candidate: Candidate, wallet: Wallet) -> str | None:
        if wallet.available_nano is not None and candidate.cost.p95 > max(0, wallet.available_nano):
            return f"{money(candidate.cost.p95 - max(0, wallet.available_nano))} more in the wallet"
        return None

    @staticmethod
    def _candidate(
        model: AIModel,
        offer: Offer,
        price: Price,
        request: Request,
        quality: Quality,
        lengths: Lengths,
        *,
        own_key: bool,
    ) -> Candidate:
        list_cost = expected_cost(price, request.analysis.input_tokens, lengths)
        return Candidate(
            model=model,
            offer=offer,
            quality=quality,
            lengths=lengths,
            cost=CostRange(0, 0) if own_key else list_cost,
            list_cost=list_cost,
            seconds=seconds_for(model, lengths),
            own_key=own_key,
        )

    def _shown(
        self, pick: Pick, rank: int, picks: Sequence[Pick], analysis: Analysis, considered: int
    ) -> dict[str, Any]:
        c = pick.candidate
        said = reasons(pick, analysis, considered)
        return {
            "model": c.model,
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
            "paid_by": "your own key" if c.own_key else "wallet",
            "provider": c.offer.provider,
            "is_available": True,
            "gives_up": gives_up(pick, picks),
            "confidence": analysis.to_dict()["confidence"],
            "evidence": evidence_level(c),
        }

    def _worth_telling(
        self, blocked: Sequence[Blocked], picks: Sequence[Pick], request: Request, limit: int
    ) -> list[dict[str, Any]]:
        """Up to three blocked models, if picks are few, or if one of them is clearly better than the best pick."""
        by_model = {b.candidate.model.id: b for b in blocked}
        wanted = choose([b.candidate for b in blocked], self._priority(request), request.analysis.type, 3)
        best = max((p.candidate.quality.points for p in picks if not is_demo(p.candidate.model)), default=0.0)
        told = [
            p for p in wanted if len(picks) < limit or p.candidate.quality.points > best + 3 or best == 0.0
        ]
        return [
            {
                "model": p.candidate.model,
                "provider": p.candidate.offer.provider,
                "missing": by_model[p.candidate.model.id].missing,
                "score": p.score,
                "estimated_cost": dollars(p.candidate.list_cost.p50),
                "reason": p.candidate.quality.why,
            }
            for p in told
        ]
