"""The gateway's side of Q Assistant: who answers `model: "auto"`, and how long answers usually are."""

import logging

from agent_marketplace.catalog import AIModel
from agent_marketplace.gateway.credentials import Credentials
from agent_marketplace.gateway.needs import Needs
from agent_marketplace.gateway.preferences import Preferences
from agent_marketplace.ledger import Ledger, dollars
from agent_marketplace.recommend.ai_recommendation_engine import RecommendationEngine, Wallet
from agent_marketplace.recommend.scoring import choose, is_demo
from agent_marketplace.recommend.tasks import analyze
from agent_marketplace.wires.base import Call, TextPart

log = logging.getLogger(__name__)
_CANDIDATES = 4
_READ_CHARACTERS = 20_000


class Assistant:
    """Asks the engine on behalf of a call."""

    def __init__(self, engine: RecommendationEngine, ledger: Ledger, credentials: Credentials) -> None:
        self._engine = engine
        self._ledger = ledger
        self._credentials = credentials

    async def choose(self, user_id: str, call: Call, needs: Needs, wishes: Preferences) -> list[tuple[str, str]]:
        """(model id, why), best first; whatever goes wrong in judging the task, something that can answer is named."""
        wallet = Wallet((await self._ledger.balance(user_id)).available, await self._credentials.providers(user_id))
        try:
            found = self._ranked(call, needs, wishes, wallet)
        except Exception:  # `auto` never fails because the judgement failed: any usable model is better than none
            log.exception("auto could not judge a task")
            found = []
        return found or [(m.id, "the first that can answer") for m in self._anything()]

    def output_range(self, model_id: str, call: Call, input_tokens: int) -> tuple[int, int]:
        """Output tokens: median and p95 of such an answer."""
        model = self._engine.registry.get_model_by_id(model_id)
        if model is None:
            return 256, 1024
        lengths = self._engine.lengths(model, analyze(last_words(call), input_tokens=input_tokens))
        return lengths.p50, max(lengths.p50, lengths.p95)

    def _ranked(self, call: Call, needs: Needs, wishes: Preferences, wallet: Wallet) -> list[tuple[str, str]]:
        attachments = ("image",) if needs.images else ()
        analysis = analyze(last_words(call), attachments=attachments, input_tokens=needs.input_tokens)
        require = [name for name, wanted in (("tools", needs.tools), ("structured_outputs", needs.structured)) if wanted]
        request = self._engine.request(
            analysis, wallet, max_cost=None if wishes.max_cost is None else dollars(wishes.max_cost), require=require
        )
        usable, _ = self._engine.candidates(request)
        picks = choose(usable, request.priority, analysis.type, _CANDIDATES)
        return [
            (p.candidate.model.id, f"{analysis.type}: {p.candidate.quality.why}")
            for p in sorted(picks, key=lambda p: is_demo(p.candidate.model))
        ]

    def _anything(self) -> list[AIModel]:
        available = [m for m in self._engine.registry.get_all_models() if m.is_available and "text" in m.capabilities]
        return available[:_CANDIDATES]


def last_words(call: Call) -> str:
    """The text of the last user turn, as far as it is worth reading."""
    for message in reversed(call.messages):
        if message.role == "user":
            return "\n".join(p.text for p in message.parts if isinstance(p, TextPart))[:_READ_CHARACTERS]
    return ""
