"""PURE: the trace of a run of an agent that is over, from its rows: `invoke_agent` with its tools' calls and the agents below it.

Names are those of OpenTelemetry's conventions for generative AI (semantic-conventions-genai, agent spans) and for MCP;
`marketplace.*` are ours. A model step's own span is the gateway's (`chat`), found by `marketplace.request_ids`. No span holds what
somebody wrote: neither arguments and results nor the names that people give to agents of their own and to tool servers.
"""

from collections.abc import Mapping, Sequence

from agent_marketplace.net.traces import Attribute, Span
from agent_marketplace.runs.types import OF_MODELS, Head, Step

_MS = 1_000_000
_UNKNOWN = "unknown_tool"


def span_of(head: Head, below: Mapping[str, Span], steps: Sequence[Step], *, offered: bool) -> Span:
    """A run's span. below: of the runs below it, by their ids; offered: whether the agent's id is public."""
    began, ended = head.created_at * _MS, (head.ended_at or head.updated_at) * _MS
    models = [s for s in steps if s.kind in OF_MODELS]
    attributes: dict[str, Attribute] = {
        "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.id": head.agent_id, "gen_ai.agent.version": str(head.agent_version),
        "gen_ai.usage.input_tokens": sum(s.said.input for s in models),
        "gen_ai.usage.output_tokens": sum(s.said.output for s in models),
        "marketplace.run_id": head.run_id, "marketplace.state": head.state, "marketplace.stop_reason": head.stop_reason,
        "marketplace.charged_nano": head.spent_nano if not head.depth else head.own_nano + head.fee_nano,
        "marketplace.fee_nano": head.fee_nano, "marketplace.steps": len(steps), "marketplace.wire": head.wire,
        "marketplace.request_ids": [s.request_id for s in models if s.request_id],
    }  # fmt: skip
    name = f"invoke_agent {head.agent_id}" if offered else "invoke_agent"
    children = [_tool(s, below, began, ended) for s in steps if s.kind in ("tool", "subrun")]
    error = head.stop_reason if head.state == "failed" else ""
    return Span(name, began, ended, attributes, "internal", error, children)


def _tool(step: Step, below: Mapping[str, Span], began: int, ended: int) -> Span:
    at = step.started_at * _MS if step.started_at is not None else (step.created_at * _MS)
    over = step.ended_at * _MS if step.ended_at is not None else ended
    at = min(max(at, began), ended)
    name = _name(step)
    attributes: dict[str, Attribute] = {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name, "gen_ai.tool.type": "function",
        "marketplace.step": step.n, "marketplace.state": step.state,
    }  # fmt: skip
    if step.payee.startswith("tool:"):
        attributes |= {"gen_ai.tool.type": "extension", "mcp.method.name": "tools/call"}
    run = below.get(step.request_id or "")
    inner = [run] if run is not None else []
    return Span(
        f"execute_tool {name}", at, min(max(over, at), ended), attributes,
        "client" if step.payee.startswith("tool:") else "internal", step.error_class, inner,
    )  # fmt: skip


def _name(step: Step) -> str:
    """A built-in tool's own name, a server's tool without the server's; what a model has made up has none."""
    if step.error_class == "no_such_tool" or (
        step.kind == "tool" and not step.payee and step.state == "denied"
    ):
        return _UNKNOWN
    if step.kind == "subrun":
        return "agent"
    return step.name.partition("__")[2] if step.payee.startswith("tool:") else step.name
