"""A run's trace has OpenTelemetry's names, one span a call, and nothing that anybody wrote."""

from agent_marketplace.db.engine import Database
from agent_marketplace.net.traces import Span
from tests.fakes.scripted import Named, Turn, alone, spec
from tests.integration.test_runs import begin, stage


class Kept:
    """In place of a collector."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def record(self, span: Span, traceparent: str | None = None) -> None:
        self.spans.append(span)


@alone
async def test_a_run_leaves_one_trace_with_its_tools_and_the_agents_below_it(database: Database) -> None:
    turns = (
        Turn(
            calls=(
                ("act", '{"x": "canary words"}'),
                ("ask_canary", '{"task": "canary words"}'),
                ("canary_made_up", "{}"),
            )
        ),
        Turn(text="canary words"),
    )
    world, _, _ = stage(database, *turns, agents=Named(spec(agent_id="b", name="canary")))
    runs, kept = world.runs(), Kept()
    runs.kit.tracer = lambda: kept  # type: ignore[assignment,return-value]
    head = await begin(runs, "act", subagents=("b",))
    (root,) = kept.spans
    assert (root.name, root.error) == ("invoke_agent", "")
    assert root.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert root.attributes["marketplace.charged_nano"] == head.spent_nano == world.script.books.total
    names = [c.name for c in root.children]
    assert names == ["execute_tool act", "execute_tool agent", "execute_tool unknown_tool"]
    assert [c.error for c in root.children] == ["", "", "no_such_tool"]
    (below,) = root.children[1].children
    assert below.attributes["gen_ai.agent.id"] == "b"
    assert all(root.began <= c.began <= c.ended <= root.ended for c in root.children)
    assert "canary" not in repr(root)
