"""The search that every test ends with finds what it is for (tests/fakes/canary.py)."""

import logging
from pathlib import Path

import pytest
import sqlalchemy as sa

from agent_marketplace.accounts.key_format import new_key
from agent_marketplace.db.engine import Database
from agent_marketplace.db.tables.vault import vault_secrets
from tests.fakes import canary
from tests.fakes.databases import SUITE, with_tables
from tests.fakes.rig import OPERATORS_KEY, completion
from tests.fakes.served import PASSWORD
from tests.fakes.upstream import Behaviour

PROMPT = str(completion()["messages"][0]["content"])
SEEDS = (PASSWORD, OPERATORS_KEY, new_key(), PROMPT, Behaviour().text)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "seed", SEEDS, ids=["password", "operator's key", "marketplace key", "prompt", "answer"]
)
def test_what_lies_open_in_a_tests_database_fails_the_test(seed: str, tmp_path: Path) -> None:
    def leave_open() -> None:
        database = Database.open(with_tables(tmp_path / "leaky"))
        row = {
            "row_id": "r",
            "user_id": "u",
            "provider": "p",
            "version": 1,
            "key_id": "k",
            "sealed": f"v1 {seed}",
        }
        row |= {"masked": "…", "status": "verified", "created_at": 0}
        database.write_sync(lambda c: c.execute(sa.insert(vault_secrets).values(row)))
        database.close()

    with pytest.raises(canary.Leak, match="the database of"), SUITE.swept():
        leave_open()


def test_what_is_logged_or_told_fails_the_test() -> None:
    log = canary.Log()
    for words in (f"sent {PROMPT}", f"refused {PASSWORD}"):
        log.handle(logging.LogRecord("agent_marketplace.x", logging.DEBUG, __file__, 1, words, None, None))
        with pytest.raises(canary.Leak, match="the log of"):
            log.check()
        log.check()
    for status, path in ((400, "/v1/models"), (200, "/metrics")):
        with pytest.raises(canary.Leak):
            canary.told(status, f"key {OPERATORS_KEY}", path)
    canary.told(400, f"a provider's words about {PROMPT}", "/v1/models")
