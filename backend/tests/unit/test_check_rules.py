"""The checks of the house's rules find what they are for, and nothing else."""

import contextlib
import io
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"
sys.path.insert(0, str(SCRIPTS))

import check_rules  # noqa: E402  the scripts are no package

PACKAGE = "backend/agent_marketplace"


def check(root: Path, name: str, text: str) -> tuple[int, str]:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = check_rules.main(root)
    return status, out.getvalue()


LONG = "def f():\n" + "    x = 1\n" * 70
COMPONENT = "export function Panel() {\n" + "  x();\n" * 250 + "}\n"


@pytest.mark.parametrize(
    ("name", "line", "text"),
    [
        (f"{PACKAGE}/a.py", 1, LONG),
        ("scripts/a.py", 501, "x = 1\n" * 501),
        ("frontend/src/Panel.tsx", 1, COMPONENT),
        (f"{PACKAGE}/vault/store.py", 1, 'c.execute(f"DELETE FROM {t}")\n'),
        (f"{PACKAGE}/db/x.py", 2, 't = "x"\nsa.text("SELECT * FROM %s" % t)\n'),
        (f"{PACKAGE}/db/x.py", 1, 'c.exec_driver_sql("SELECT " + column)\n'),
        (f"{PACKAGE}/ledger/x.py", 1, 'driver.execute("SELECT {}".format(x))\n'),
        (f"{PACKAGE}/vault/vault.py", 2, "import sqlalchemy as sa\nsa.select(1)\n"),
        (f"{PACKAGE}/api/x.py", 1, "from sqlalchemy import select\n"),
        (f"{PACKAGE}/api/x.py", 2, "import sqlite3\nsqlite3.connect('x')\n"),
        (f"{PACKAGE}/ledger/x.py", 1, "half = 0.5\n"),
        (f"{PACKAGE}/ledger/x.py", 1, "half = amount / 2\n"),
        (f"{PACKAGE}/ledger/x.py", 2, "def f(x):\n    return float(x)\n"),
        (f"{PACKAGE}/ledger/x.py", 1, "def f(amount: float): ...\n"),
        (f"{PACKAGE}/gateway/x.py", 1, "cost_nano = tokens * 0.5\n"),
        (f"{PACKAGE}/gateway/x.py", 1, "f(cost_nano=price / 1000)\n"),
        (f"{PACKAGE}/gateway/x.py", 2, "class A:\n    cost_nano: float\n"),
        (f"{PACKAGE}/gateway/x.py", 1, "async def f(*, cost_nano: float | None = None): ...\n"),
        (f"{PACKAGE}/providers/x.py", 1, "import aiohttp\n"),
        (f"{PACKAGE}/providers/x.py", 1, "from urllib import request\n"),
        (f"{PACKAGE}/providers/x.py", 2, "import http\nfrom http.client import HTTPConnection\n"),
        (f"{PACKAGE}/providers/x.py", 1, "import asyncio, socket\n"),
        (f"{PACKAGE}/providers/x.py", 2, "async def f():\n    await asyncio.open_connection('x', 1)\n"),
        (f"{PACKAGE}/api/x.py", 3, "try:\n    f()\nexcept Exception:\n    pass\n"),
        (f"{PACKAGE}/api/x.py", 3, "try:\n    f()\nexcept:  # noqa: E722\n    pass\n"),
        (
            f"{PACKAGE}/api/x.py",
            3,
            "try:\n    f()\nexcept (ValueError, BaseException) as e:  # noqa: BLE001\n    pass\n",
        ),
        (f"{PACKAGE}/api/x.py", 1, "with contextlib.suppress(Exception): f()\n"),
        (f"{PACKAGE}/api/x.py", 1, "def f(:\n"),
    ],
)
def test_a_breach_is_found_at_its_line(tmp_path: Path, name: str, line: int, text: str) -> None:
    status, out = check(tmp_path, name, text)
    assert status == 1
    assert f"{name}:{line}: " in out


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (f"{PACKAGE}/a.py", "@decorated\n" + "def f():\n" + "    x = 1\n" * 69),
        ("scripts/a.py", "x = 1\n" * 500),
        (
            "frontend/src/Panel.tsx",
            COMPONENT.replace("  x();\n", "", 2) + COMPONENT.replace("  x();\n", "", 2),
        ),
        (
            f"{PACKAGE}/vault/store.py",
            "import sqlalchemy as sa\nsa.select(1)\nc.execute('SELECT 1', {'x': f'{y}'})\n",
        ),
        (f"{PACKAGE}/db/x.py", 'c.execute(f"PRAGMA {p}")  # sql: our own constants\n'),
        (
            f"{PACKAGE}/vault/vault.py",
            "import sqlalchemy as sa\ndef f(c: sa.Connection) -> sa.Row[int]: ...\nE = sa.exc.IntegrityError\n",
        ),
        (
            f"{PACKAGE}/ledger/x.py",
            "PAUSES_S = (0.5,)\ndef f(ttl_s: float = 1.5): ...\nday = of(now_ms / 1000)\nx = amount // 2\n",
        ),
        (
            f"{PACKAGE}/gateway/x.py",
            "share = 0.5\ncost_nano = amount // 2\nother_nano = price_usage(price, round(a / b))\n",
        ),
        (f"{PACKAGE}/net/x.py", "import aiohttp\nimport socket\n"),
        (f"{PACKAGE}/providers/x.py", "from urllib.parse import urlsplit\nfrom . import ollama\n"),
        (
            f"{PACKAGE}/api/x.py",
            "try:\n    f()\nexcept Exception:  # noqa: BLE001  a feed is foreign: the last good one stays\n    pass\n",
        ),
        ("backend/tests/x.py", "import aiohttp\ntry:\n    f()\nexcept Exception:\n    pass\n"),
        (f"{PACKAGE}/web/x.py", "not python at all"),
    ],
)
def test_what_is_allowed_is_left_alone(tmp_path: Path, name: str, text: str) -> None:
    assert check(tmp_path, name, text) == (0, "House rules hold\n")


def test_this_repository_is_what_is_checked_by_default(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, SCRIPTS / "check_rules.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.endswith(("House rules hold\n", "breaches of the house rules\n"))


def test_two_migrations_of_one_number_are_found_before_no_server_starts(tmp_path: Path) -> None:
    folder = f"{PACKAGE}/db/migrations/versions"
    first = 'revision = "0000"\ndown_revision = None\n'
    assert check(tmp_path, f"{folder}/0000_first.py", first)[0] == 0
    second = 'revision = "0001"\ndown_revision = "0000"\n'
    assert check(tmp_path, f"{folder}/0001_mail.py", second)[0] == 0
    status, words = check(tmp_path, f"{folder}/0001_others.py", second)
    assert (status, "0001_others.py:1: a migration that" in words) == (1, True)
