"""Replies of runs, for `/openapi.json`."""

from typing import Any, Literal

from pydantic import BaseModel

from agent_marketplace.api.schemas import Reply


class StepOut(BaseModel):
    """A step of a run. arguments, result: cut; cost, reserved: dollars; request_id: a model step's receipt, a sub-run's run."""

    step: int
    kind: Literal["model", "tool", "subrun", "final", "input", "compact"]
    name: str
    state: Literal["planned", "started", "done", "failed", "denied", "unknown"]
    asked_by: int | None
    cost: float
    reserved: float
    arguments: str | None
    result: str | None
    request_id: str | None
    error: str
    payee: str
    started_at: str | None
    ended_at: str | None


class Question(BaseModel):
    """A call that waits for its user's answer. subject: what the answer is bound to; most: dollars."""

    approval_id: str
    run_id: str
    step: int
    name: str
    arguments: str
    subject: str
    most: float
    expires_at: str


class InboxQuestion(Question):
    agent_id: str


class Approvals(Reply):
    approvals: list[InboxQuestion]


class RunLine(BaseModel):
    """A run. cap, spent, reserved: dollars, of its whole tree; pin: SHA-256 of the version that it is pinned to."""

    run_id: str
    parent_run_id: str | None
    agent_id: str
    version: int
    pin: str
    state: Literal["running", "waiting", "paused", "done", "failed", "cancelled"]
    stop_reason: str
    cap: float | None
    spent: float
    reserved: float
    attended: bool
    created_at: str
    expires_at: str | None
    ended_at: str | None


class RunOut(RunLine):
    name: str
    result: str | None
    steps: list[StepOut]
    approvals: list[Question]


class Run(Reply):
    run: RunOut


class Runs(Reply):
    runs: list[RunLine]
    next_before: int | None


class ReceiptStep(BaseModel):
    step: int
    kind: str
    name: str
    state: str
    cost: float
    payee: str
    arguments_sha256: str
    request_id: str | None
    error: str
    started_at: int | None
    ended_at: int | None


class ReceiptRun(BaseModel):
    run_id: str
    agent_id: str
    version: int
    pin: str
    parent_run_id: str | None
    state: str
    stop_reason: str
    cost: float
    fee: float
    steps: list[ReceiptStep]


class ReceiptOut(BaseModel):
    """agrees: every model step's cost is what the ledger posted; final: the run is over."""

    run_id: str
    cap: float | None
    spent: float
    reserved: float
    posted: float
    agrees: bool
    final: bool
    runs: list[ReceiptRun]


class RunReceipt(Reply):
    receipt: ReceiptOut


class ToolServerLine(BaseModel):
    """An MCP server. revision: of the protocol; problem: why its tools could not be listed."""

    server_id: str
    name: str
    url: str
    header: str
    authorised: bool
    revision: str
    problem: str
    created_at: str
    checked_at: str | None


class ToolServers(Reply):
    servers: list[ToolServerLine]


class ToolOut(BaseModel):
    """A tool as its server describes it. state `changed`: it is not what was approved, and is offered to no model."""

    tool: str
    state: Literal["approved", "new", "changed", "gone"]
    sha256: str
    description: str
    input: dict[str, Any]
    annotations: dict[str, Any]
    policy: Literal["allow", "ask", "deny"]
    read_only: bool


class ToolServerOut(ToolServerLine):
    tools: list[ToolOut]


class ToolServer(Reply):
    server: ToolServerOut
