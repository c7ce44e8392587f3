"""The guide's suite (task 10), grown: same classes and names, asserting for real against real parts.

Only the provider is ours to script: a fake upstream on loopback that keeps the truth of what it was asked and sent.
"""

import time
import unittest
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from agent_marketplace import settings
from agent_marketplace.accounts.errors import EmailTaken, InvalidCredentials, InvalidToken
from agent_marketplace.app import Market, build
from agent_marketplace.catalog import MarketplaceRegistry
from agent_marketplace.errors import NotFound, PaymentRequired
from agent_marketplace.ledger import Price, dollars, price_usage
from agent_marketplace.usage import Usage
from tests.fakes.upstream import Behaviour, FakeUpstream

GUIDE_IDS = (
    "gpt4",
    "gpt3.5",
    "claude3-opus",
    "claude3-sonnet",
    "gemini-pro",
    "llama2-7b",
    "mistral-7b",
    "mistral-large",
)
EMAIL, PASSWORD = "test@example.com", "password123"


class TestMarketplaceRegistry(unittest.TestCase):
    """Task 1."""

    registry: MarketplaceRegistry

    @classmethod
    def setUpClass(cls) -> None:
        cls.registry = MarketplaceRegistry()

    def test_get_all_models(self) -> None:
        models = self.registry.get_all_models()
        self.assertGreaterEqual(len(models), 500)
        self.assertEqual(len({m.id for m in models}), len(models))

    def test_the_guides_models_keep_their_ids(self) -> None:
        for model_id in GUIDE_IDS:
            with self.subTest(model_id):
                model = self.registry.get_model_by_id(model_id)
                assert model is not None
                self.assertEqual(model.id, model_id)

    def test_there_are_offers_to_compare(self) -> None:
        self.assertGreaterEqual(
            sum(len(self.registry.offers(m.id)) for m in self.registry.get_all_models()), 2000
        )

    def test_search_models(self) -> None:
        results = self.registry.search_models("gpt")
        self.assertGreater(len(results), 0)
        self.assertTrue(all("gpt" in f"{m.id} {m.name} {m.family}".lower() for m in results[:5]))

    def test_search_forgives_typing(self) -> None:
        self.assertIn("claude", self.registry.search_models("claud opus")[0].id)
        self.assertIn("llama", self.registry.search_models("lama 3 70b")[0].id)

    def test_search_is_far_below_the_guides_50_ms(self) -> None:
        began = time.perf_counter()
        for _ in range(10):
            self.registry.search_models("cheap vision model for code")
        self.assertLess((time.perf_counter() - began) / 10, 0.05)

    def test_filter_by_tier(self) -> None:
        for tier in ("free", "paid", "premium"):
            found = self.registry.filter_by_tier(tier)
            self.assertGreater(len(found), 0)
            self.assertEqual({m.pricing_tier for m in found}, {tier})

    def test_filter_by_capability(self) -> None:
        for capability in ("code", "text", "vision"):
            found = self.registry.filter_by_capability(capability)
            self.assertGreater(len(found), 0)
            self.assertTrue(all(capability in m.capabilities for m in found))

    def test_get_popular_models(self) -> None:
        self.assertEqual(len(self.registry.get_popular_models(limit=5)), 5)

    def test_get_model_by_id(self) -> None:
        self.assertIsNone(self.registry.get_model_by_id("no-such-model"))


class MarketCase(unittest.IsolatedAsyncioTestCase):
    """A whole installation on SQLite; OpenAI's and Anthropic's base URLs point at a fake of ours."""

    async def asyncSetUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.fake = await self.enterAsyncContext(
            FakeUpstream(Behaviour(text="Hello from upstream .", usage=(11, 7)))
        )
        self.market = self.open(Path(folder.name))
        await self.market.start()
        self.addAsyncCleanup(self.market.stop)
        self.auth = self.market.accounts.auth

    def open(self, folder: Path, **more: str) -> Market:
        env: Mapping[str, str] = {
            "MARKETPLACE_DATA_DIR": str(folder),
            "MARKETPLACE_LOCAL_MODEL": "off",
            "OPENAI_BASE_URL": self.fake.base_url,
            "OPENAI_API_KEY": "sk-operator",
            "ANTHROPIC_BASE_URL": self.fake.root,
            "ANTHROPIC_API_KEY": "sk-ant-operator",
            **more,
        }
        return build(settings.load(env), env=env)


class TestAuthService(MarketCase):
    """Task 2."""

    async def test_sign_up(self) -> None:
        user = await self.auth.sign_up(EMAIL, PASSWORD)
        self.assertIsNotNone(user.user_id)
        self.assertEqual(user.balance, Decimal(5))

    async def test_an_email_signs_up_once(self) -> None:
        await self.auth.sign_up(EMAIL, PASSWORD)
        with self.assertRaisesRegex(ValueError, "Email already registered") as caught:
            await self.auth.sign_up("TEST@example.com", PASSWORD)
        self.assertIsInstance(caught.exception, EmailTaken)

    async def test_sign_in(self) -> None:
        await self.auth.sign_up(EMAIL, PASSWORD)
        token = await self.auth.sign_in(EMAIL, PASSWORD)
        self.assertEqual((await self.auth.verify_token(token)).email, EMAIL)

    async def test_a_wrong_password_opens_nothing(self) -> None:
        await self.auth.sign_up(EMAIL, PASSWORD)
        with self.assertRaises(InvalidCredentials):
            await self.auth.sign_in(EMAIL, "password124")

    async def test_a_signed_out_token_is_dead(self) -> None:
        await self.auth.sign_up(EMAIL, PASSWORD)
        token = await self.auth.sign_in(EMAIL, PASSWORD)
        await self.auth.verify_token(token)
        await self.auth.sign_out(token)
        with self.assertRaises(InvalidToken):
            await self.auth.verify_token(token)

    async def test_api_key_encryption(self) -> None:
        user = await self.auth.sign_up(EMAIL, PASSWORD)
        await self.auth.add_api_key(user.user_id, "openai", "sk-test123")
        self.assertEqual(await self.auth.get_api_key(user.user_id, "openai"), "sk-test123")
        file = Path(self.market.settings.database_url.removeprefix("sqlite:///"))
        for part in file.parent.glob(f"{file.name}*"):
            self.assertNotIn(b"sk-test123", part.read_bytes())

    async def test_balance_is_exact(self) -> None:
        user = await self.auth.sign_up(EMAIL, PASSWORD)
        await self.auth.add_balance(user.user_id, "0.100000001")
        self.assertTrue(await self.auth.deduct_balance(user.user_id, Decimal("5.1")))
        self.assertEqual(await self.auth.get_user_balance(user.user_id), Decimal("1e-9"))
        self.assertFalse(await self.auth.deduct_balance(user.user_id, Decimal("2e-9")))

    async def test_subscription_ends_by_itself(self) -> None:
        user = await self.auth.sign_up(EMAIL, PASSWORD)
        await self.auth.set_subscription(user.user_id, "pro", 1)
        changed = await self.auth.get_user(user.user_id)
        self.assertEqual(changed.subscription_tier, "pro")
        assert changed.subscription_expires is not None
        self.assertEqual(round((changed.subscription_expires - user.created_at).total_seconds() / 86400), 30)


class TestRecommendationEngine(MarketCase):
    """Task 3."""

    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        self.engine = self.market.engine

    def test_analyze_task_debugging(self) -> None:
        analysis = self.engine.analyze_task("Debug this Python code")
        self.assertEqual(analysis["type"], "debugging")
        self.assertTrue(0 < analysis["confidence"] <= 1)

    async def test_get_recommendations(self) -> None:
        user = await self.auth.sign_up(EMAIL, PASSWORD)
        recs = await self.engine.get_recommendations(user.user_id, "generate code")
        self.assertGreater(len(recs), 0)
        self.assertEqual([r["rank"] for r in recs], list(range(1, len(recs) + 1)))
        for rec in recs:
            self.assertTrue(rec["reasoning"])
            self.assertTrue(rec["is_available"])
            self.assertTrue(rec["model"].is_available)
            self.assertGreaterEqual(rec["cost_range"]["p95"], rec["cost_range"]["p50"])

    async def test_nothing_unaffordable_is_recommended(self) -> None:
        user = await self.auth.sign_up(EMAIL, PASSWORD)
        await self.auth.deduct_balance(user.user_id, "4.999")
        for rec in await self.engine.get_recommendations(user.user_id, "write a compiler", limit=10):
            self.assertLessEqual(rec["cost_range"]["p95"], Decimal("0.001"))

    def test_scores_lie_between_1_and_10(self) -> None:
        for model in self.market.registry.get_popular_models(50):
            self.assertTrue(1 <= self.engine.score_model_for_task(model, "code_generation") <= 10)

    def test_trending_models(self) -> None:
        self.assertEqual(len(self.engine.get_trending_models("week")), 5)


class TestAPIIntegration(MarketCase):
    """Tasks 4 to 6."""

    async def asyncSetUp(self) -> None:
        await super().asyncSetUp()
        self.user = await self.auth.sign_up(EMAIL, PASSWORD)

    async def test_openai_routing(self) -> None:
        answer = await self.market.router.route_completion(
            self.user.user_id, "gpt-4o-mini", "Say hello", {"max_tokens": 50}
        )
        self.assertEqual(answer, "Hello from upstream .")
        seen = self.fake.requests[0]
        self.assertEqual(seen.path, "/v1/chat/completions")
        self.assertEqual(seen.headers["authorization"], "Bearer sk-operator")
        self.assertEqual(seen.json["model"], "gpt-4o-mini")
        self.assertEqual(seen.json["messages"], [{"role": "user", "content": "Say hello"}])

    async def test_anthropic_routing(self) -> None:
        answer = await self.market.router.route_completion(
            self.user.user_id, "claude-haiku-4-5", "Say hello", {"max_tokens": 50}
        )
        self.assertEqual(answer, "Hello from upstream .")
        seen = self.fake.requests[0]
        self.assertEqual(seen.path, "/v1/messages")
        self.assertEqual(seen.headers["x-api-key"], "sk-ant-operator")
        self.assertEqual(seen.json["max_tokens"], 50)

    async def test_balance_deduction(self) -> None:
        before = await self.auth.get_user_balance(self.user.user_id)
        await self.market.router.route_completion(
            self.user.user_id, "gpt-4o-mini", "Say hello", {"max_tokens": 50}
        )
        after = await self.auth.get_user_balance(self.user.user_id)
        price = next(o.price for o in self.market.registry.offers("gpt-4o-mini") if o.provider == "openai")
        assert isinstance(price, Price)
        self.assertEqual(before - after, dollars(price_usage(price, Usage(input=11, output=7))))
        self.assertEqual((await self.market.ledger.balance(self.user.user_id)).held, 0)
        report = self.market.db.read_sync(self.market.ledger.verify_sync)
        self.assertEqual(report.problems, [])

    async def test_streaming_gives_the_same_text(self) -> None:
        pieces = [
            piece
            async for piece in self.market.router.handle_streaming(
                self.user.user_id, "gpt-4o-mini", "Say hello", {"max_tokens": 50}
            )
        ]
        self.assertGreater(len(pieces), 1)
        self.assertEqual("".join(pieces).strip(), "Hello from upstream .")

    async def test_an_empty_wallet_is_refused_before_the_provider_is_asked(self) -> None:
        await self.auth.deduct_balance(self.user.user_id, "5")
        with self.assertRaises(PaymentRequired) as caught:
            await self.market.router.route_completion(
                self.user.user_id, "gpt-4o-mini", "Say hello", {"max_tokens": 50}
            )
        self.assertEqual(caught.exception.extra["balance"], 0)
        self.assertEqual(self.fake.requests, [])

    async def test_an_unknown_model_is_named(self) -> None:
        with self.assertRaises(NotFound):
            await self.market.router.route_completion(self.user.user_id, "no-such-model", "hi")


if __name__ == "__main__":
    unittest.main()
