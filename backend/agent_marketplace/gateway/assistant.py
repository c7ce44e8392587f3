"""The gateway's side of Q Assistant: who answers `model: "auto"` for whose wallet, and how long answers usually are."""

from agent_marketplace.gateway.auto import Auto, last_text
from agent_marketplace.gateway.credentials import Credentials
from agent_marketplace.gateway.needs import Needs
from agent_marketplace.gateway.preferences import Preferences
from agent_marketplace.ledger import Ledger
from agent_marketplace.recommend.ai_recommendation_engine import RecommendationEngine
from agent_marketplace.recommend.question import Choice, Expected, Wallet
from agent_marketplace.wires.base import Call


class Assistant:
    """Asks the engine on behalf of a call."""

    def __init__(self, engine: RecommendationEngine, ledger: Ledger, credentials: Credentials) -> None:
        self._engine = engine
        self._auto = Auto(engine)
        self._ledger = ledger
        self._credentials = credentials

    async def choose(self, user_id: str, call: Call, needs: Needs, wishes: Preferences) -> list[Choice]:
        """What to try, the first first."""
        wallet = Wallet(
            (await self._ledger.balance(user_id)).available, await self._credentials.providers(user_id)
        )
        await self._engine.listen(last_text(call))
        return self._auto.choose(user_id, call, needs, wishes, wallet)

    def output_range(self, model_id: str, call: Call, user_id: str) -> Expected:
        """Output tokens of such an answer to this user."""
        return self._engine.output_range(
            model_id, last_text(call), effort=call.reasoning_effort, user_id=user_id
        )
