"""What SECURITY.md and docs/asvs.md promise is held by tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TESTS = ROOT / "backend" / "tests"
FILE = re.compile(r"`((?:unit|integration|faults|property)/\w+\.py)(?:::(\w+))?`")
NAME = re.compile(r"`(test_\w+)`")


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/asvs.md"])
def test_no_page_names_a_test_that_is_gone(page: str) -> None:
    text = (ROOT / page).read_text()
    named = FILE.findall(text)
    assert len(named) > 10
    gone = [f"{file}::{name}" for file, name in named if f"def {name}" not in (TESTS / file).read_text()]
    everywhere = "".join(path.read_text() for path in TESTS.rglob("test_*.py"))
    assert gone + [name for name in NAME.findall(text) if f"def {name}(" not in everywhere] == []


def test_every_goal_has_a_status() -> None:
    rows = re.findall(r"^\| (S\d+) \|[^|]*\| (\w+)", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
    assert [goal for goal, _ in rows] == [f"S{n}" for n in range(1, 19)]
    assert {status for _, status in rows} <= {"pass", "partial", "open"}
