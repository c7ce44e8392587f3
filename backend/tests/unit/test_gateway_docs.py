"""The pages that tell what the gateway does are compared with the tables it does it by."""

from pathlib import Path

from agent_marketplace.gateway.failures import TABLE
from agent_marketplace.providers import table
from agent_marketplace.wires.base import FailureClass

DOCS = Path(__file__).parents[3] / "docs"


def between(page: str, name: str) -> list[list[str]]:
    """Rows of the table between the markers, without its head."""
    text = (DOCS / page).read_text().split(f"<!-- {name}:begin -->")[1].split(f"<!-- {name}:end -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.strip().splitlines()]
    return rows[2:]


def test_the_page_on_routing_has_every_failure_class_as_the_code_has_it() -> None:
    wanted = []
    for kind, policy in TABLE.items():
        where = "larger context only" if policy.larger else "yes" if policy.other else "`models` only"
        if kind is FailureClass.CONTENT:
            where = "never"
        wanted.append([f"`{kind.value}`", str(policy.same), where, f"{policy.status} `{policy.code}`"])
    assert between("routing.md", "failures") == wanted
    assert set(TABLE) == set(FailureClass)


def test_the_page_on_billing_names_every_provider_under_its_abort_rule() -> None:
    rows = between("billing.md", "abort")
    told = {rule: row[1] for rule, row in zip(("stops", "continues", "unknown"), rows, strict=True)}
    for rule, names in told.items():
        assert names == ", ".join(f"`{row.name}`" for row in table.ROWS if row.abort == rule)
