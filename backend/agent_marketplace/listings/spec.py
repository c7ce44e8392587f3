"""What a version of an agent is: everything that matters for a run, and the hashes over it. Money in nano-dollars."""

import hashlib
import re
from typing import Any, Literal

import msgspec

from agent_marketplace.errors import BadRequest

Policy = Literal["allow", "ask", "deny"]
Whose = Literal["none", "operator", "author", "user"]
Visibility = Literal["private", "unlisted", "listed"]
State = Literal["draft", "submitted", "listed", "rejected", "suspended", "withdrawn"]
CATEGORIES = ("code", "writing", "data", "research", "support", "other")
MAX_INSTRUCTIONS = 100_000  # characters
MAX_SPEC = 200_000  # bytes of JSON
MAX_FEE_NANO = 1_000 * 10**9
USUAL_CAP_NANO = 500_000_000  # of a run whose user names no cap
MAX_BASIS_POINTS = 100_000  # ten times the models' cost
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_LICENCE = re.compile(r"[A-Za-z0-9.+-]{1,40}( (AND|OR|WITH) [A-Za-z0-9.+-]{1,40}){0,3}")
_WORD = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]{0,63}")


class AgentPrice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An author's fee for a delivered run: per run, per step (model or tool), and of what the models cost, in basis points
    (1/100 of a per cent); never more than max_fee_nano. All zero: free."""

    fee_run_nano: int = 0
    fee_step_nano: int = 0
    model_cost_bp: int = 0
    max_fee_nano: int = 0

    def fee(self, steps: int, model_cost_nano: int) -> int:
        """What a delivered run of so many steps, whose models cost so much, owes; nano-dollars, rounded down."""
        share = model_cost_nano * self.model_cost_bp // 10_000
        return min(self.fee_run_nano + self.fee_step_nano * steps + share, self.max_fee_nano)

    @property
    def free(self) -> bool:
        """Whether nothing can be owed."""
        return not self.max_fee_nano


FREE = AgentPrice()


class Tool(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool that runs may call. server: `builtin`, or a tool server's id; pin: SHA-256 (hex) of the definition that was
    approved, empty for built-in ones; credential: whose; timeout_s: seconds."""

    server: str
    tool: str
    pin: str = ""
    policy: Policy = "ask"
    credential: Whose = "none"
    idempotent: bool = False
    timeout_s: int = 30

    @property
    def key(self) -> str:
        """Names what a reviewer approved: the tool, its definition, its credential, and whether it asks."""
        return f"{self.server}/{self.tool}/{self.pin}/{self.credential}/{self.policy}"


class SubAgent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another agent that runs may hand work to: `publisher/slug` at a version."""

    agent: str
    version: int


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of one run. cap_*: nano-dollars of models, tools and fee together."""

    steps: int = 10
    tool_calls: int = 30
    seconds: int = 600
    cap_default_nano: int = USUAL_CAP_NANO
    cap_max_nano: int = 10_000_000_000


class Example(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An input, and what an answer to it must contain (each word, in any case)."""

    input: str
    expects: list[str] = []


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version's content. model: a model id or `auto`; scopes: what it may reach besides its tools (`files:read`);
    hosts: who sees the user's data besides the models' providers; licence: SPDX, or `proprietary`."""

    name: str
    model: str
    instructions: str = ""
    summary: str = ""
    description: str = ""
    parameters: dict[str, Any] = {}
    tools: list[Tool] = []
    subagents: list[SubAgent] = []
    scopes: list[str] = []
    limits: Limits = Limits()
    hosts: list[str] = []
    price: AgentPrice = FREE
    output_schema: dict[str, Any] | None = None
    licence: str = "proprietary"
    category: str = "other"
    starters: list[str] = []
    examples: list[Example] = []
    kind: Literal["prompt"] = "prompt"

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) over all of it, instructions and price included: what a run pins."""
        return _digest(msgspec.to_builtins(self))

    @property
    def consent_hash(self) -> str:
        """SHA-256 (hex) over what a user agrees to before the first run: who sees data, what may be done, and what a run may
        cost where its user names no cap, if that is more than usual."""
        tools = sorted((t.server, t.tool, t.pin, t.credential, t.policy) for t in self.tools)
        agents = sorted(s.agent for s in self.subagents)
        asked = {"hosts": sorted(self.hosts), "tools": tools, "scopes": sorted(self.scopes), "agents": agents}
        cap = self.limits.cap_default_nano
        return _digest(asked | {"cap": cap} if cap > USUAL_CAP_NANO else asked)

    @property
    def powers(self) -> frozenset[str]:
        """What a reviewer approves: each tool, scope, host and sub-agent by its whole name."""
        return frozenset(
            {f"tool {t.key}" for t in self.tools}
            | {f"scope {s}" for s in self.scopes}
            | {f"host {h}" for h in self.hosts}
            | {f"agent {s.agent}@{s.version}" for s in self.subagents}
        )


def _digest(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def read(data: Any) -> Spec:
    """A spec from what a client sent (JSON values). Raises BadRequest."""
    try:
        spec = msgspec.convert(data, Spec)
    except msgspec.ValidationError as e:
        raise BadRequest(f"This is no version of an agent: {e}") from None
    check(spec)
    return spec


def check(spec: Spec) -> None:
    """Raises BadRequest for what no version may have."""
    _check_texts(spec)
    _check_reach(spec)
    _check_numbers(spec)


def _check_texts(spec: Spec) -> None:
    if spec.name != spec.name.strip() or not 1 <= len(spec.name) <= 100 or not spec.name.isprintable():
        raise BadRequest("An agent needs a name of 1 to 100 printable characters")
    longest = (("summary", spec.summary, 200), ("description", spec.description, 20_000),
               ("instructions", spec.instructions, MAX_INSTRUCTIONS), ("model", spec.model, 200))  # fmt: skip
    for field, text, most in longest:
        if len(text) > most:
            raise BadRequest(f"{field} may have at most {most} characters")
    if spec.category not in CATEGORIES:
        raise BadRequest(f"category is one of {', '.join(CATEGORIES)}")
    if not _LICENCE.fullmatch(spec.licence):
        raise BadRequest("licence is an SPDX expression, or `proprietary`")
    if len(spec.starters) > 6 or any(not 1 <= len(s) <= 300 for s in spec.starters):
        raise BadRequest("At most 6 starters of 1 to 300 characters")
    if len(spec.examples) > 10 or any(not 1 <= len(e.input) <= 20_000 for e in spec.examples):
        raise BadRequest("At most 10 examples, each with an input of 1 to 20000 characters")
    if not all(_PARAMETER.fullmatch(name) for name in spec.parameters):
        raise BadRequest("Parameter names are lower-case words like max_tokens")
    if len(msgspec.json.encode(spec)) > MAX_SPEC + 4 * MAX_INSTRUCTIONS:
        raise BadRequest("This version is too large")


def _check_reach(spec: Spec) -> None:
    if len(spec.tools) > 64 or len({(t.server, t.tool) for t in spec.tools}) < len(spec.tools):
        raise BadRequest("At most 64 tools, each once")
    for tool in spec.tools:
        if not _WORD.fullmatch(tool.server) or not _WORD.fullmatch(tool.tool):
            raise BadRequest("A tool is named by its server and its name")
        if tool.pin and not re.fullmatch(r"[0-9a-f]{64}", tool.pin):
            raise BadRequest("A tool's pin is a SHA-256 in hex")
        if tool.server != "builtin" and not tool.pin:
            raise BadRequest(f"{tool.tool} is of a tool server: pin its definition")
        if not 1 <= tool.timeout_s <= 300:
            raise BadRequest("A tool's timeout_s is 1 to 300")
    if len(spec.hosts) > 32 or not all(_HOST.fullmatch(host) for host in spec.hosts):
        raise BadRequest("hosts are at most 32 names such as api.example.com")
    if len(spec.scopes) > 32 or not all(_WORD.fullmatch(scope) for scope in spec.scopes):
        raise BadRequest("scopes are at most 32 words such as files:read")
    if len(spec.subagents) > 10:
        raise BadRequest("At most 10 sub-agents")


def _check_numbers(spec: Spec) -> None:
    price, limits = spec.price, spec.limits
    for name in ("fee_run_nano", "fee_step_nano", "max_fee_nano"):
        if not 0 <= getattr(price, name) <= MAX_FEE_NANO:
            raise BadRequest(f"{name} is out of range")
    if not 0 <= price.model_cost_bp <= MAX_BASIS_POINTS:
        raise BadRequest("model_cost_bp is out of range")
    if price.fee_run_nano > price.max_fee_nano or (
        (price.fee_step_nano or price.model_cost_bp) and price.free
    ):
        raise BadRequest("max_fee_nano must say the most that a run's fee can be")
    if not (1 <= limits.steps <= 100 and 0 <= limits.tool_calls <= 500 and 1 <= limits.seconds <= 3_600):
        raise BadRequest("limits: steps 1 to 100, tool_calls 0 to 500, seconds 1 to 3600")
    if not price.max_fee_nano <= limits.cap_default_nano <= limits.cap_max_nano <= 1_000_000_000_000:
        raise BadRequest("limits: max_fee_nano <= cap_default_nano <= cap_max_nano <= 1000 dollars")
