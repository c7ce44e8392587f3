"""The operator's commands by the real console script: what they print, how they end, and beside a server under load."""

import base64
import http.server
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import click
import pytest
from typer.main import get_command

from agent_marketplace.catalog import bundled
from agent_marketplace.catalog.hosts import host_names
from agent_marketplace.cli.app import app
from agent_marketplace.cli.groups import GROUPS, LazyGroups
from tests.fakes.served import PASSWORD, Served, command, environment, served
from tests.fakes.threaded import Threaded, threaded_upstream
from tests.fakes.upstream import Behaviour

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 50}
ROOT = Path(__file__).parents[3]
KEYS = [base64.urlsafe_b64encode(os.urandom(32)).decode() for _ in range(2)]
COMMANDS = (
    "serve", "demo", "migrate", "backup", "restore", "doctor", "openapi", "version", "user create", "user list", "user grant",
    "user passwd", "user signout", "user role", "user invite", "key create", "key list", "key revoke", "models install",
    "models add", "models list", "catalog show", "catalog sync", "catalog reviews", "catalog accept", "catalog reject",
    "catalog price", "vault rotate", "vault status", "ledger verify", "ledger head", "ledger archive",
    "bounds list", "bounds clear", "user trust", "user storage",
    "connect", "usage rebuild",
)  # fmt: skip
pytestmark = pytest.mark.xdist_group("cli")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return environment(tmp_path, ENCRYPTION_KEY=KEYS[0])


@pytest.fixture
def upstream() -> Iterator[Threaded]:
    with threaded_upstream(Behaviour()) as fake:
        yield fake


def ok(env: dict[str, str], *words: str, stdin: str = "") -> str:
    done = command(env, *words, stdin=stdin)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def leaves(group: object, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, child in getattr(group, "commands", {}).items():
        full = f"{path} {name}".strip()
        yield from (leaves(child, full) if hasattr(child, "commands") else [(full, child)])


WHOLE = cast("LazyGroups", get_command(app))
for _group in GROUPS:
    WHOLE.load(_group)
LEAVES = dict(leaves(WHOLE))


def parses(line: str) -> None:
    """Raises click.UsageError, KeyError unless the line, after the program's name, is a command with arguments that it takes."""
    words = shlex.split(re.split(r"\s[<>|&;]", line)[0], comments=True)
    if words[0].startswith("-"):
        return
    path = " ".join(words[:1] if words[0] in LEAVES else words[:2])
    LEAVES[path].make_context(path, words[len(path.split()) :])


def test_every_command_teaches_with_an_example_that_works(env: dict[str, str]) -> None:
    assert sorted(LEAVES) == sorted(COMMANDS)
    for path, leaf in LEAVES.items():
        assert len(leaf.help or "") > 10, path
        shown = (leaf.epilog or "").removeprefix("Example:").split("   or   ")
        for line in shown:
            assert line.strip().startswith(f"agent-marketplace {path}"), path
            parses(line.strip().removeprefix("agent-marketplace "))
    for path in ("", "vault rotate"):
        assert "Usage:" in ok(env, *path.split(), "--help")
    assert ok(env, "--version") == ok(env, "version")


def test_every_command_that_the_pages_show_exists_with_its_options() -> None:
    in_line = re.compile(r"`(?:agent-marketplace|marketplace-admin) ([^`]+)`")
    in_block = re.compile(
        r"^(?:\S*/|docker compose exec server )?(?:agent-marketplace|marketplace-admin) (.+)", re.MULTILINE
    )
    texts = [page.read_text() for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]]
    shown = [line for text in texts for line in in_line.findall(text)]
    for text in texts:
        shown += [
            line
            for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
            for line in in_block.findall(block)
        ]
    assert len(shown) > 30
    for line in shown:
        parses(line)


def test_wrong_use_ends_with_2_and_failure_with_1_and_words_on_standard_error(env: dict[str, str]) -> None:
    for words, status in (
        (["no-such-command"], 2),
        (["user", "grant", "nobody@b.c", "1"], 1),
        (["catalog", "sync", "--feed", "none"], 2),
        (["catalog", "accept", "rev_none"], 1),
        (["models", "add", "/nowhere.gguf"], 1),
    ):
        done = command(env, *words)
        assert (done.returncode, done.stdout) == (status, ""), words
        assert done.stderr.strip()
        assert "Traceback" not in done.stderr
    done = command(env | {"MARKETPLACE_TYPO": "1"}, "user", "list")
    assert done.returncode == 2
    assert "MARKETPLACE_TYPO" in done.stderr


def test_shell_completion_knows_the_commands(env: dict[str, str]) -> None:
    asked = {
        "_AGENT_MARKETPLACE_COMPLETE": "complete_bash",
        "COMP_WORDS": "agent-marketplace led",
        "COMP_CWORD": "1",
    }
    assert "ledger" in command(env | asked, stdin="").stdout


def test_an_account_made_without_a_password_shows_the_one_that_was_made(env: dict[str, str]) -> None:
    made = json.loads(ok(env, "user", "create", "bot@example.com", "--json", stdin=""))
    assert len(made["password"]) >= 15
    given = json.loads(ok(env, "user", "create", "ann@example.com", "--json", "--password", PASSWORD))
    assert "password" not in given


def test_accounts_and_keys_can_be_managed_by_scripts(env: dict[str, str]) -> None:
    made = json.loads(ok(env, "user", "create", "ann@example.com", "--json", stdin=f"{PASSWORD}\n"))
    assert made["role"] == "admin"
    assert (
        json.loads(ok(env, "user", "grant", "ann@example.com", "2.5", "--idempotency-key", "x", "--json"))[
            "balance"
        ]
        == 7.5
    )
    assert (
        json.loads(ok(env, "user", "grant", "ann@example.com", "2.5", "--idempotency-key", "x", "--json"))[
            "balance"
        ]
        == 7.5
    )
    key = json.loads(
        ok(env, "key", "create", "--user", "ann@example.com", "--cap", "1", "--period", "day", "--json")
    )
    listed = json.loads(ok(env, "key", "list", "--user", "ann@example.com", "--json"))
    assert listed["id"] == key["id"]
    assert key["key"] not in json.dumps(listed)
    ok(env, "key", "revoke", key["id"], "--user", "ann@example.com")
    stored = json.loads(ok(env, "user", "storage", "ann@example.com", "--json"))
    assert (stored["stored_bytes"], stored["quota_bytes"]) == (0, 200_000_000)
    assert json.loads(ok(env, "ledger", "verify", "--json"))["ok"] is True
    shrunk = json.loads(ok(env, "ledger", "archive", "--days", "60", "--shrink", "--json"))
    assert shrunk["moved"] == 0
    assert 0 < shrunk["bytes_after"] <= shrunk["bytes_before"]
    assert "60 days old" in command(env, "ledger", "archive", "--days", "9").stderr
    assert json.loads(ok(env, "vault", "status", "--json")) == {}


def jumping_offer() -> tuple[str, dict[str, object]]:
    """An offer that the feed may overrule (its price came from a list that is checked less often), and a document about it."""
    names = {ours: theirs for theirs, ours in host_names("models.dev").items()}
    offers = (o for m in bundled().models for o in m.offers)
    offer = next(
        o for o in offers if o.source == "rates" and o.provider in names and o.price and o.price.input
    )
    assert offer.price is not None
    tenfold = (offer.price.input or 0) * 10 / 10**9
    facts = {"cost": {"input": tenfold, "output": tenfold}, "limit": {"context": offer.context}}
    return offer.id, {names[offer.provider]: {"models": {offer.upstream_id: facts}}}


OFFER, FEED = jumping_offer()


class _Feed(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(FEED).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def test_a_price_that_jumps_waits_until_the_operator_accepts_it(env: dict[str, str]) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Feed) as feed:
        threading.Thread(target=feed.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{feed.server_port}/api.json"
        report = json.loads(ok(env, "catalog", "sync", "--feed", "models.dev", "--url", url, "--json"))
        feed.shutdown()
    assert (report["prices"], report["to_review"]) == (0, 1), report
    review = json.loads(ok(env, "catalog", "reviews", "--json"))
    assert review["offer_id"] == OFFER
    assert "the new price is in force" in ok(env, "catalog", "accept", review["review_id"])
    assert ok(env, "catalog", "reviews", "--json") == ""
    assert command(env, "catalog", "reject", review["review_id"]).returncode == 1


def test_bounds_that_failed_are_listed_and_cleared(env: dict[str, str]) -> None:
    ok(env, "migrate")
    assert ok(env, "bounds", "list", "--json") == "[]\n"
    assert '"cleared":0' in ok(env, "bounds", "clear", "openai", "gpt-4o-mini", "--json").replace(" ", "")


def test_weights_are_listed_and_a_file_of_ones_own_is_added(env: dict[str, str], tmp_path: Path) -> None:
    env |= {"MARKETPLACE_MODELS_DIR": str(tmp_path / "models")}
    assert json.loads(ok(env, "models", "list", "--json"))["state"] == "not installed"
    (tmp_path / "mine.gguf").write_bytes(b"GGUF" + bytes(100))
    assert "mine is installed" in ok(env, "models", "add", str(tmp_path / "mine.gguf"))
    assert json.loads(ok(env, "models", "list", "--installed", "--json"))["id"] == "mine"


def loaded(server: Served, token: str, work: object) -> int:
    """Calls the server from four threads while `work()` runs; every call must succeed. Returns how many there were."""
    over = threading.Event()

    def call(_: int) -> int:
        for n in itertools.count():
            if over.is_set():
                return n
            status, body = server.call("POST", "/v1/chat/completions", CHAT, token)
            assert status == 200, body
        return 0

    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(call, i) for i in range(4)]
        try:
            assert callable(work)
            work()
        finally:
            over.set()
        return sum(c.result() for c in calls)


def test_the_master_key_is_rotated_under_load_without_a_failed_read(
    env: dict[str, str], upstream: Threaded
) -> None:
    openai = {"OPENAI_BASE_URL": upstream.base_url, "OPENAI_API_KEY": "sk-operators"}
    both = env | openai | {"ENCRYPTION_KEY": f"{KEYS[1]},{KEYS[0]}"}
    with served(env | openai) as server:
        token = server.sign_up()
        saved = {"provider": "openai", "api_key": "sk-users-own-key-000000000001"}
        assert server.call("POST", "/api/v1/marketplace/api-keys", saved, token)[0] == 200
    with served(both) as server:
        before = json.loads(ok(both, "vault", "status", "--json"))
        assert loaded(server, token, lambda: ok(both, "vault", "rotate", "--json")) > 0
        assert {
            seen.headers["authorization"] for seen in upstream.fake.requests[1:] if "chat" in seen.path
        } == {"Bearer sk-users-own-key-000000000001"}
    after = json.loads(ok(both, "vault", "status", "--json"))
    assert len(before) == len(after) == 1
    assert before.keys() != after.keys()
    alone = env | openai | {"ENCRYPTION_KEY": KEYS[1]}
    with served(alone) as server:
        _, listed = server.call("GET", "/api/v1/marketplace/api-keys", token=token)
        assert [k["status"] for k in listed["api_keys"]] == ["unverified"]  # it takes any key


def test_a_command_loads_no_more_than_it_needs() -> None:
    """A second at every prompt is what loading the gateway costs."""
    heavy = ("fastapi", "agent_marketplace.gateway", "agent_marketplace.recommend", "agent_marketplace.app")
    light = {
        "import agent_marketplace.cli.app": (*heavy, "sqlalchemy", "agent_marketplace.ledger"),
        "import agent_marketplace.cli.money": (*heavy, "agent_marketplace.accounts", "jwt"),
        "import agent_marketplace.cli.accounts": heavy,
    }
    for what, unwanted in light.items():
        code = f"{what}; import sys; print([m for m in {unwanted!r} if m in sys.modules])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]", what
