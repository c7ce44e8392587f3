"""Bodies and replies of comparisons and of the leaderboard, for `/openapi.json`."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from agent_marketplace.api.schemas import Body, Reply

Side = Literal["a", "b", "c", "d"]


class ComparedAnswer(BaseModel):
    """One side. Until a blind comparison has its vote or is revealed, only side, run_id, status, content and error are told."""

    side: Side
    run_id: str
    status: Literal["running", "ok", "partial", "failed"]
    content: str
    error: dict[str, Any] | None = None
    asked: str | None = None
    model: str | None = None
    provider: str | None = None
    request_id: str | None = None
    cost: float | None = None
    usage: dict[str, Any] | None = None
    timings: dict[str, int | None] | None = None
    finish_reason: str | None = None


class Compared(BaseModel):
    """One question and its answers. models: what was asked, by name; while it is veiled that is not the order of the sides."""

    id: str
    blind: bool
    revealed: bool
    task: str
    after: str | None
    models: list[str]
    messages: list[Any]
    parameters: dict[str, Any]
    vote: str | None
    criteria: list[str]
    reason: str
    cost: float | None
    created_at: str
    voted_at: str | None
    readable: bool
    answers: list[ComparedAnswer]


class OneComparison(Reply):
    comparison: Compared


class Comparisons(Reply):
    comparisons: list[Compared]
    next_cursor: str | None


class ComparisonEstimate(Reply):
    """estimates: by model, as of /agents/estimate, or why that model can't be asked; total: dollars of those that can."""

    estimates: list[dict[str, Any]]
    total: dict[str, float]
    affordable: bool


class Continued(Reply):
    conversation_id: str


class LeaderboardRow(BaseModel):
    """rating: 1000 + 400 log10 of the odds; low, high: 95 % of it; rank null: `why` says it; cost: list price of all its answers."""

    model: str
    rank: int | None
    rating: int
    low: int
    high: int
    votes: int
    users: int
    wins: int
    losses: int
    ties: int
    cost: float | None
    cost_per_win: float | None
    characters: int
    why: str | None


class ShareOf(BaseModel):
    """share: 0 to 1, null = of nothing."""

    share: float | None
    of: int


class Leaderboard(Reply):
    """longer_won, first_won: of the votes that decided. tasks: votes by type of task."""

    models: list[LeaderboardRow]
    votes: int
    users: int
    least_votes: int
    longer_won: ShareOf
    first_won: ShareOf
    tasks: dict[str, int]
    task: str | None
    days: int
    as_of: str


class PlacedModel(BaseModel):
    """quality: points of Q Assistant; basis: measured, proxy, family or prior; cost: dollars of a typical call."""

    model: str
    name: str
    provider: str
    quality: float
    basis: str
    cost: float
    is_available: bool


class PriceQuality(Reply):
    models: list[PlacedModel]
    task: str
    tasks: list[str]
    input_tokens: int


class EvaluatedModel(BaseModel):
    asked: str
    answers: int
    failed: int
    cost: float


class EvaluationOut(BaseModel):
    """reason: why it is not done: `budget`, `payment_required`, `stopped`, `interrupted` (its process ended), or an error's code."""

    id: str
    name: str
    state: Literal["running", "done", "stopped", "failed"]
    reason: str | None
    items: int
    expected_answers: int
    answers: int
    failed: int
    budget: float
    cost: float
    models: list[EvaluatedModel]
    parameters: dict[str, Any]
    created_at: str


class OneEvaluation(Reply):
    evaluation: EvaluationOut


class Evaluations(Reply):
    evaluations: list[EvaluationOut]


class Vote(Body):
    """vote: a side, `tie` or `both_bad`."""

    vote: Literal["a", "b", "c", "d", "tie", "both_bad"]
    criteria: list[Literal["accuracy", "completeness", "clarity", "brevity", "instructions"]] = Field(
        default=[], max_length=5
    )
    reason: str = Field(default="", max_length=2_000)


class ContinueWith(Body):
    side: Side


class Retry(Body):
    """wait: reply when the answer has ended."""

    wait: bool = False


BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "models": {
                            "type": "array",
                            "items": {"type": "string"},
                            "minItems": 2,
                            "maxItems": 4,
                            "description": "Models, or your agents (agt_...)",
                        },
                        "prompt": {"type": "string"},
                        "messages": {"type": "array", "items": {"type": "object"}},
                        "system": {"type": "string"},
                        "images": {"type": "array", "items": {"type": "string"}},
                        "blind": {"type": "boolean"},
                        "after": {
                            "type": "string",
                            "description": "The comparison that this one goes on with",
                        },
                        "wait": {"type": "boolean", "description": "Reply when every answer has ended"},
                        "max_tokens": {"type": "integer"},
                        "temperature": {"type": "number"},
                        "options": {"type": "object", "description": "Further fields of a completion"},
                    },
                },
                "example": {
                    "models": ["smollm2-135m", "gpt-5.4-nano"],
                    "prompt": "What is a monad?",
                    "blind": True,
                },
            }
        },
    }
}
