"""Q Assistant: which model for this task, this budget and this user, with reasons. `model: "auto"` (`gateway/auto`) chooses by it too."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from agent_marketplace.catalog import AIModel, MarketplaceRegistry
from agent_marketplace.catalog.snapshot import Snapshot
from agent_marketplace.clock import Clock, SystemClock
from agent_marketplace.errors import BadRequest
from agent_marketplace.ledger import dollars, nano
from agent_marketplace.recommend import conditions, efforts, second_opinion, showing
from agent_marketplace.recommend import needs as filters
from agent_marketplace.recommend.beyond import beyond
from agent_marketplace.recommend.encoder import POOL, Encoder
from agent_marketplace.recommend.estimate import (
    DEFAULT_CAP,
    TYPICAL_INPUT,
    Lengths,
    blend,
    expected_cost,
    hold_tokens,
    prior_lengths,
)
from agent_marketplace.recommend.learning import Experience
from agent_marketplace.recommend.quality import Quality, QualityTable
from agent_marketplace.recommend.question import (
    Accounts,
    Blocked,
    Customer,
    Expected,
    Placed,
    Recommendations,
    Request,
    Wallet,
)
from agent_marketplace.recommend.scoring import Candidate, Pick, Priority, choose, is_demo, score_of
from agent_marketplace.recommend.selecting import Found, Selection
from agent_marketplace.recommend.tasks import Analysis, analyze, told_by
from agent_marketplace.recommend.understood import Understood

__all__ = [
    "Accounts",
    "Blocked",
    "Customer",
    "Expected",
    "RecommendationEngine",
    "Recommendations",
    "Request",
    "Wallet",
]

log = logging.getLogger(__name__)
MAX_PICKS = 20
JUDGE_POINTS, JUDGE_INPUT, MOST_NANO = 50.0, 700, 1_000_000
"""Of a second opinion on the kind of task: the model's quality at short questions, tokens in, and the most that it may cost ($0.001)."""
_PERIODS = ("day", "week", "month")


class RecommendationEngine:
    """Ranks the catalogue's models. Holds no per-user state; `set_experience` swaps what was learnt from own calls."""

    def __init__(
        self,
        registry: MarketplaceRegistry,
        auth: Accounts,
        *,
        clock: Clock | None = None,
        encoder: Callable[[], Encoder | None] = lambda: None,
    ) -> None:
        self.registry = registry
        self.auth = auth
        self._clock = clock or SystemClock()
        self._judged: tuple[Snapshot, date, QualityTable] | None = None
        self.experience = Experience()
        self._load_encoder = encoder
        self._encoder: Encoder | None = None
        self._deaf = False
        self._readings: dict[str, tuple[str, int | None]] = {}

    @property
    def quality(self) -> QualityTable:
        """Quality by public results of the models that are in the catalogue now, at their age today: a feed's new model inherits
        from its line at once, and no server judges by the day it was started."""
        snapshot, day = self.registry.snapshot, self.registry.day
        kept = self._judged
        if kept is None or kept[0] is not snapshot or kept[1] != day:
            kept = self._judged = (snapshot, day, QualityTable(self.registry, day))
        return kept[2]

    def set_experience(self, experience: Experience) -> None:
        """Ratings, output lengths and trends of this installation (recommend/learning.py)."""
        self.experience = experience

    def public_points(self) -> dict[str, float]:
        """Overall quality of every model by public results alone, which own votes move."""
        quality = self.quality
        return {m.id: quality.of(m, "overall").points for m in self.registry.get_all_models()}

    def placed(self, task: str) -> list[Placed]:
        """Where priced models that write text stand at a task: quality, and what a typical call costs by the one estimator."""
        found = []
        for model in self.registry.get_all_models():
            if model.price is None or model.retired or not filters.answers_text(model):
                continue
            cost = expected_cost(model.price, TYPICAL_INPUT, self._expected(model, task, None, None, ""))
            quality = self._quality_of(model, task)
            found.append(Placed(model=model, points=quality.points, level=quality.level, cost_nano=cost.p50))
        return found

    # --- the guide's methods -----------------------------------------------------------------------------------------------------

    def analyze_task(self, task_description: str) -> dict[str, Any]:
        """Type, calibrated confidence, keywords, and a question where the text leaves it open."""
        return analyze(task_description, encode=self._ask).to_dict()

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
        priority: Priority | None = None,
        max_cost: Decimal | int | str | None = None,
        input_tokens: int | None = None,
        attachments: Sequence[str | Mapping[str, Any]] = (),
        require: Sequence[str] = (),
        available_nano: int | None = None,
        effort: str | None = None,
        said: Mapping[str, Any] | None = None,
        ignore: Sequence[str] = (),
        settle: second_opinion.Ask | None = None,
    ) -> Recommendations:
        """Picks and what is blocked. max_cost: dollars for one call; available_nano: the wallet less its holds, if known.

        said: further fields of `conditions.Conditions`, which win over what the words say; ignore: names of such fields that
        are not to be read off the words; effort: set by the caller;
        settle: asks a model where the type is unsure. Raises BadRequest for an unknown requirement or
        condition, and what the accounts raise for an unknown user.
        """
        cap = None if max_cost is None else Decimal(max_cost)
        given = {
            **(said or {}),
            "max_cost": cap,
            "input_tokens": input_tokens,
            "inputs": conditions.modalities_of(attachments),
            "effort": effort,
        }
        if priority is not None and priority != "balanced":
            given["priority"] = priority
        await self.listen(task)
        analysis = analyze(
            task, attachments=attachments, input_tokens=input_tokens, encode=self._heard, ignore=ignore
        )
        told, read = conditions.settle(given, analysis.understood, ignore)
        wallet = await self._wallet(user_id, available_nano)
        analysis, opinion = await self._settled(analysis, told, require, settle)
        request = self.request(
            analysis, wallet, told=told, require=require, effort=told.effort, user_id=user_id or ""
        )
        selection = self._selection(request)
        found = selection.run()
        judged = request.needs.output == "text"
        picks = choose(
            found.usable,
            request.priority,
            analysis.type,
            min(limit, MAX_PICKS),
            analysis.difficulty,
            judged=judged,
        )
        answered = any(not is_demo(p.candidate.model) for p in picks)
        return Recommendations(
            analysis=analysis.to_dict(),
            recommendations=[
                showing.shown(p, i + 1, picks, analysis, len(found.usable), judged=judged)
                for i, p in enumerate(picks)
            ],
            blocked=showing.worth_telling(found.blocked, picks, request, limit),
            understood=showing.chips(read),
            conditions=showing.conditions_dict(told),
            notes=self._notes(request, told, found, picks, read, conditions.unread(attachments)),
            nearest=[] if answered else showing.near(selection.nearest()),
            what_if=showing.what_if(found, picks, request),
            settled=second_opinion.shown(opinion, dollars),
        )

    @staticmethod
    async def _settled(
        analysis: Analysis,
        told: conditions.Conditions,
        require: Sequence[str],
        settle: second_opinion.Ask | None,
    ) -> tuple[Analysis, second_opinion.Opinion | None]:
        """An unsure type as a model sees it, where the words may leave this machine and cost something."""
        kept = told.offline or told.no_training or told.region or told.free or {"local", "free"} & {*require}
        if settle is None or kept or not analysis.uncertain or not analysis.typed:
            return analysis, None
        opinion = await settle(analysis.typed)
        return (analysis if opinion is None else told_by(analysis, opinion.kind)), opinion

    def cheap_judge(self) -> tuple[str | None, str | None]:
        """(model, effort) of the cheapest model that is well known to be good enough to name a kind of task; Nones without any."""
        found: list[tuple[int, str, str | None]] = []
        for model in self.registry.get_all_models():
            quality = self.quality.of(model, "quick_task")
            if model.retired or not filters.answers_text(model) or quality.points < JUDGE_POINTS:
                continue
            steps = efforts.offered(model, self.quality.basis(model).measured)
            if quality.level not in ("measured", "proxy", "inherited") or not {None, "none"} & {*steps}:
                continue
            if steps == (None,) and efforts.thinks(model):
                continue  # it would think first, and the answer is cut off
            usable = (o.price for o in self.registry.offers(model.id) if o.price is not None
                      and self.registry.unavailable_reason(o) is None)  # fmt: skip
            cost = min((expected_cost(p, JUDGE_INPUT, Lengths(4, 16)).p95 for p in usable), default=None)
            if cost is not None and cost <= MOST_NANO:
                found.append((cost, model.id, "none" if "none" in steps else None))
        return min(found, key=lambda f: (f[0], f[1]))[1:] if found else (None, None)

    @staticmethod
    def _notes(
        request: Request,
        told: conditions.Conditions,
        found: Found,
        picks: Sequence[Pick],
        read: Sequence[Understood],
        unread: Sequence[str],
    ) -> list[str]:
        """What was not known, what all calls come to, and what nothing here can tell."""
        asked = request.analysis
        return [
            *showing.notes(found, told, request, unread),
            *showing.in_all(told, picks, read),
            *beyond(asked.asked, asked.type),
        ]

    async def listen(self, text: str) -> None:
        """Asks the sentence encoder, off the event loop, where the head is unsure; later readings of the text know its answer."""
        if self._deaf:
            return
        await asyncio.get_running_loop().run_in_executor(POOL, lambda: analyze(text, encode=self._ask))
        self._readings.pop(text, None)

    def _ask(self, asked: str) -> tuple[float, ...] | None:
        """Loads the encoder on first use; tens of milliseconds a text."""
        if self._encoder is None and not self._deaf:
            self._encoder = self._load_encoder()
            self._deaf = self._encoder is None
        return self._encoder.probabilities(asked) if self._encoder is not None else None

    def _heard(self, asked: str) -> tuple[float, ...] | None:
        """What the encoder said before; never waits."""
        return self._encoder.known(asked) if self._encoder is not None else None

    # --- steps, shared with `auto` ------------------------------------------------------------------------------------------------

    def request(
        self,
        analysis: Analysis,
        wallet: Wallet,
        *,
        priority: Priority | None = None,
        max_cost: Decimal | int | str | None = None,
        require: Sequence[str] = (),
        told: conditions.Conditions | None = None,
        effort: str | None = None,
        user_id: str = "",
    ) -> Request:
        """Puts the question together. max_cost: dollars."""
        if told is None:
            cost = None if max_cost is None else Decimal(max_cost)
            told, _ = conditions.settle({"max_cost": cost, "priority": priority}, analysis.understood)
        cap = told.cap_nano
        expected = told.output_tokens or 0
        # A stated cap on the price means: as good as it can be within it, but a cap is no wish to spend it.
        usual: Priority = "within" if cap is not None else "balanced"
        wanted: Priority = told.priority or usual  # type: ignore[assignment]  # checked where it came in
        return Request(
            analysis=analysis,
            needs=filters.needs_of(analysis, expected, require, told, self._named(told.model)),
            wallet=wallet,
            priority=wanted,
            max_cost_nano=cap,
            deadline_s=told.deadline_s,
            output_tokens=told.output_tokens,
            effort=effort,
            user_id=user_id,
            calls=told.calls or 1,
        )

    def analysed(self, asked: str, *, input_tokens: int) -> Analysis:
        """What the words ask for; never waits for the encoder (`listen`)."""
        return analyze(asked, input_tokens=input_tokens, encode=self._heard)

    def candidates(self, request: Request) -> tuple[list[Candidate], list[Blocked]]:
        """Every model that meets the needs: those that can be used and paid now, and those that lack a key or money."""
        found: Found = self._selection(request).run()
        return found.usable, found.blocked

    # --- for the gateway -----------------------------------------------------------------------------------------------------------

    def output_range(
        self, model_id: str, asked: str, *, effort: str | None = None, user_id: str = ""
    ) -> Expected:
        """Output tokens of a model's answers to such words at that effort. user_id: whose own calls tell."""
        kind, wanted = self._reading_of(asked)
        model = self.registry.resolve(model_id)
        if model is None:
            return Expected(DEFAULT_CAP // 2, DEFAULT_CAP, kind, "")
        lengths = self._expected(model, kind, wanted, effort, user_id)
        return Expected(lengths.p50, lengths.p95, kind, effort or efforts.usual(model) or "")

    def usual_output(self, model_id: str) -> int:
        """Output tokens that a hold buys when the caller names no cap."""
        return hold_tokens(self.experience.holds.get(model_id))

    def _lengths(self, model: AIModel, request: Request, effort: str | None) -> Lengths:
        return self._expected(model, request.analysis.type, request.output_tokens, effort, request.user_id)

    def _expected(
        self, model: AIModel, task: str, wanted: int | None, effort: str | None, user_id: str
    ) -> Lengths:
        """Expected output tokens: the stated prior, then this installation's calls, then the user's own.

        The one estimator: picks, estimates before a call and receipts all come through here.
        """
        basis = self.quality.basis(model)
        prior = prior_lengths(model, task, wanted, basis.result, effort=effort, measured=basis.measured)
        if wanted is not None:
            return prior  # a stated length says more than what others asked for
        told = effort or efforts.usual(model) or ""
        shared = self.experience.lengths.get((model.id, task, told))
        own = self.experience.own.get((user_id, model.id, task, told)) if user_id else None
        return blend(blend(prior, shared), own)

    def _reading_of(self, text: str) -> tuple[str, int | None]:
        """Task type and stated length, remembered for the last 1,000 texts: the hot path asks more than once per call."""
        known = self._readings.get(text)
        if known is None:
            if len(self._readings) >= 1000 or len(text) > 20_000:
                self._readings.clear()
            found = analyze(text, input_tokens=0, encode=self._heard)
            known = self._readings[text] = (found.type, found.wanted_output_tokens)
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

    def _named(self, name: str | None) -> tuple[str, ...]:
        """Ids of the model that was named ("claude opus 5"): what resolves, else every id that has all of its words."""
        if name is None:
            return ()
        spelled = name.strip().lower()
        model = self.registry.resolve(spelled) or self.registry.resolve(spelled.replace(" ", "-"))
        if model is not None:
            return (model.id,)
        words = spelled.replace("-", " ").split()
        found = tuple(m.id for m in self.registry.get_all_models() if all(w in m.id for w in words))
        return found or (spelled,)

    def _selection(self, request: Request) -> Selection:
        return Selection(self.registry, self.quality, self._quality_of, self._lengths, request, self._today())

    def _quality_of(self, model: AIModel, task: str, effort: str | None = None) -> Quality:
        quality = self.quality.of(model, task, effort)
        shift, words = self.experience.shift(model.id)
        if not words:
            return quality
        return Quality(points=quality.points + shift, level=quality.level, why=f"{quality.why}; {words}")
