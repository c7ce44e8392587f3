"""Bodies of the routes of offered agents. Money in dollars, shares in basis points (1/100 of a per cent)."""

# ruff: noqa: RUF012  pydantic copies defaults for every body

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field

from agent_marketplace.api.schemas import Body, Name, Password
from agent_marketplace.ledger import nano
from agent_marketplace.listings import AgentPrice, Limits, Spec, SubAgent, Tool
from agent_marketplace.listings.spec import Example, check

Dollars = Annotated[Decimal, Field(ge=0, le=1000, decimal_places=9, examples=["0.02"])]
Handle = Annotated[str, Field(min_length=2, max_length=40, pattern="^[a-z0-9-]+$", examples=["ada"])]
Why = Annotated[str, Field(min_length=1, max_length=500, examples=["its tools are what its card says"])]
Texts = Annotated[list[Annotated[str, Field(max_length=300)]], Field(max_length=64)]


class PriceBody(Body):
    """An author's fee for a delivered run. model_cost_bp: of what its models cost; max_fee: the most it can be."""

    fee_run: Dollars = Decimal(0)
    fee_step: Dollars = Decimal(0)
    model_cost_bp: Annotated[int, Field(ge=0, le=100_000)] = 0
    max_fee: Dollars = Decimal(0)


class LimitsBody(Body):
    """Bounds of one run; cap_*: of models, tools and fee together."""

    steps: Annotated[int, Field(ge=1, le=100)] = 10
    tool_calls: Annotated[int, Field(ge=0, le=500)] = 30
    seconds: Annotated[int, Field(ge=1, le=3600)] = 600
    cap_default: Dollars = Decimal("0.5")
    cap_max: Dollars = Decimal(10)


class ToolBody(Body):
    """A tool that runs may call. pin: the SHA-256 of its definition; credential: whose."""

    server: Name
    tool: Name
    pin: Annotated[str, Field(max_length=64)] = ""
    policy: Literal["allow", "ask", "deny"] = "ask"
    credential: Literal["none", "operator", "author", "user"] = "none"
    idempotent: bool = False
    timeout_s: Annotated[int, Field(ge=1, le=300)] = 30


class SubAgentBody(Body):
    agent: Name
    version: Annotated[int, Field(ge=1)]


class ExampleBody(Body):
    """expects: words that an answer must contain."""

    input: Annotated[str, Field(min_length=1, max_length=20_000)]
    expects: Texts = []


class SpecBody(
    Body,
    json_schema_extra={
        "examples": [
            {"name": "Reviewer", "model": "auto", "instructions": "Review code in five points.", "summary": "Reviews a diff",
             "category": "code", "licence": "MIT", "price": {"fee_run": "0.02", "max_fee": "0.02"}}
        ]
    },
):  # fmt: skip
    """A version of an agent: never changed once it is made."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    model: Name = "auto"
    instructions: Annotated[str, Field(max_length=100_000)] = ""
    summary: Annotated[str, Field(max_length=200)] = ""
    description: Annotated[str, Field(max_length=20_000)] = ""
    parameters: dict[str, Any] = {}
    tools: Annotated[list[ToolBody], Field(max_length=64)] = []
    subagents: Annotated[list[SubAgentBody], Field(max_length=10)] = []
    scopes: Texts = []
    limits: LimitsBody = LimitsBody()
    hosts: Texts = []
    price: PriceBody = PriceBody()
    output_schema: dict[str, Any] | None = None
    licence: Annotated[str, Field(max_length=200)] = "proprietary"
    category: Literal["code", "writing", "data", "research", "support", "other"] = "other"
    starters: Texts = []
    examples: Annotated[list[ExampleBody], Field(max_length=10)] = []

    def spec(self) -> Spec:
        """As the listings keep it. Raises BadRequest."""
        values = self.model_dump(exclude={"price", "limits", "tools", "subagents", "examples"})
        price, limits = self.price, self.limits
        made = Spec(
            **values,
            price=AgentPrice(
                fee_run_nano=nano(price.fee_run),
                fee_step_nano=nano(price.fee_step),
                model_cost_bp=price.model_cost_bp,
                max_fee_nano=nano(price.max_fee),
            ),
            limits=Limits(
                steps=limits.steps,
                tool_calls=limits.tool_calls,
                seconds=limits.seconds,
                cap_default_nano=nano(limits.cap_default),
                cap_max_nano=nano(limits.cap_max),
            ),
            tools=[Tool(**tool.model_dump()) for tool in self.tools],
            subagents=[SubAgent(**agent.model_dump()) for agent in self.subagents],
            examples=[Example(**example.model_dump()) for example in self.examples],
        )
        check(made)
        return made


class TakeHandle(Body):
    handle: Handle


class NewOffered(Body):
    slug: Handle
    version: SpecBody


class SubmitVersion(Body):
    """private: for oneself; unlisted: who has the link; listed: found by everybody, after a look by a person where needed."""

    visibility: Literal["private", "unlisted", "listed"]


class Fork(Body):
    slug: Handle


class Agree(Body):
    """version: whose card was read; pin: stay with it."""

    version: Annotated[int, Field(ge=1)]
    pin: bool = False


class Decide(Body):
    """approve and restore need the administrator's password; reject and suspend take away and do not."""

    decision: Literal["approve", "reject", "suspend", "restore"]
    reason: Why
    password: Password = ""


class RefundFee(Body):
    reason: Why
    password: Password


class RecordPayout(Body):
    """reference: of the transfer that was made outside; the same one again changes nothing."""

    amount: Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=9, examples=["25"])]
    reference: Annotated[str, Field(min_length=1, max_length=120, examples=["SEPA 2026-11-30 0017"])]
    reason: Why
    password: Password


class RateAgent(Body):
    """run_id: a delivered, paid run of one's own that was not refunded."""

    run_id: Name
    stars: Annotated[int, Field(ge=1, le=5)]
    words: Annotated[str, Field(max_length=2000)] = ""


class ReportAgent(Body):
    version: Annotated[int, Field(ge=1)]
    why: Literal["harmful", "deceives", "copied", "leaks data", "broken", "other"]
    words: Annotated[str, Field(max_length=2000)] = ""


class CloseReport(Body):
    reason: Why


class StopServer(Body):
    """Letting its tools be called again needs the administrator's password; stopping them does not."""

    stopped: bool
    reason: Why
    password: Password = ""
