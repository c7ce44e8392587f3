"""Makes `golden/first_books.sqlite.gz` and `.postgresql.gz`: backups of the first published tables, revision 0001.

Run once, with the code of commit 0bbeb37 on the path (`PYTHONPATH=OLD/backend python first_books.py FOLDER POSTGRES_URL`), by
whose own commands the copies are made. Never run it with newer code: what it proves is that old data opens.
"""

import asyncio
import base64
import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

JWT_SECRET = base64.b64encode(bytes(range(7, 55))).decode()
ENCRYPTION_KEY = base64.urlsafe_b64encode(bytes(range(60, 92))).decode()
# SQLite's own secrets lie in files; on PostgreSQL they are derived from JWT_SECRET.
OWN = {"key_pepper": "pepper-" + "p9Q2x" * 8, "checkpoint_secret": "checks-" + "k3W8y" * 8}
DOLLAR = 10**9
EMAIL, PASSWORD = "ada@example.com", "correct horse 9 battery"
PROVIDER_KEY = "sk-ada-own-key-0123456789"
QUESTION = "Why does my asyncio test hang?"


def put_secrets(folder: Path) -> None:
    """The files that belong to the SQLite copy."""
    kept = folder / "secrets"
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, value in (OWN | {"jwt_secret": JWT_SECRET, "encryption_key": ENCRYPTION_KEY}).items():
        (kept / name).write_text(value + "\n")
        (kept / name).chmod(0o600)


async def fill(market: Any) -> dict[str, Any]:
    """A life of every kind of row; returns what must be true for ever."""
    from agent_marketplace.accounts.keys import Cap
    from agent_marketplace.conversations import NewMessage
    from agent_marketplace.ledger import Settlement
    from agent_marketplace.usage import Usage
    from agent_marketplace.vault import Secret

    ledger, accounts = market.ledger, market.accounts
    user = await accounts.auth.sign_up(EMAIL, PASSWORD)
    other = await accounts.auth.sign_up("bob@example.com", PASSWORD)
    await ledger.grant(user.user_id, 20 * DOLLAR, kind="topup", idempotency_key="t1", memo="invoice 1")
    await ledger.grant(user.user_id, -DOLLAR, kind="reversal", memo="charged back")
    await ledger.charge(user.user_id, 2 * DOLLAR, kind="plan")
    key = await accounts.keys.create(user.user_id, "editor", cap=Cap(3 * DOLLAR, "month"))

    async def call(
        name: str, charge: int, status: Any = "ok", *, held: int = DOLLAR, key_id: str | None = None
    ) -> None:
        await ledger.hold(
            name,
            user.user_id,
            held,
            price_version="v1",
            key_id=key_id,
            meta={"model": "gpt-4o", "provider": "openai"},
        )
        await ledger.settle(
            Settlement(
                request_id=name, user_id=user.user_id, charge_nano=charge, usage=Usage(input=100, output=20, cache_read=7),
                provider="openai", model="gpt-4o", status=status, provider_cost_nano=charge, price_version="v1",
                detail={"attempts": [{"provider": "openai"}], "timings": {"total_ms": 12}},
            )
        )  # fmt: skip

    for i in range(20):
        await call(f"req_ok_{i}", 1_234_567 + i, key_id=key.info.key_id if i % 2 else None)
    await ledger.checkpoint()
    await call("req_free", 0, held=0)
    await call("req_partial", 5_000, "partial")
    await call("req_absorbed", 40 * DOLLAR)
    await ledger.hold("req_void", user.user_id, 0, price_version="v1")
    await ledger.void("req_void", "nobody answered")
    await ledger.hold(
        "req_open", other.user_id, DOLLAR, price_version="v1", meta={"model": "gpt-4o", "provider": "openai"}
    )
    await market.vault.put(user.user_id, "openai", Secret(PROVIDER_KEY))
    chat, _ = await market.conversations.create(
        user.user_id, model="gpt-4o", messages=[NewMessage(role="user", content=QUESTION)]
    )
    return {"user_id": user.user_id, "conversation_id": chat.conversation_id, "key": key.key}


def main(target: Path, postgres: str) -> None:
    """Fills an installation of each kind and copies it by the old code's own `backup`."""
    from agent_marketplace.app import build
    from agent_marketplace.cli.backup import backup
    from agent_marketplace.settings import load

    target.mkdir(exist_ok=True)
    facts: dict[str, Any] = {}
    for kind, url in (("sqlite", None), ("postgresql", postgres)):
        folder = target / kind
        put_secrets(folder)
        env = {"MARKETPLACE_DATA_DIR": str(folder), "MARKETPLACE_SIGNUP_CREDIT_USE": "all"}
        if url is not None:
            env |= {"DATABASE_URL": url, "JWT_SECRET": JWT_SECRET, "ENCRYPTION_KEY": ENCRYPTION_KEY}
        os.environ |= env
        settings = load(env)
        if url is not None:
            from agent_marketplace.db import migrate
            from agent_marketplace.db.engine import Database

            database = Database.open(settings.database_url)
            migrate.upgrade(database.engine)
            database.close()
        market = build(settings)
        facts[kind] = asyncio.run(fill(market))
        market.accounts.close()
        market.db.close()
        copy = folder / "copy"
        backup(settings, copy)
        (target / f"first_books.{kind}.gz").write_bytes(gzip.compress(copy.read_bytes(), 9, mtime=0))
    (target / "first_books.json").write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
