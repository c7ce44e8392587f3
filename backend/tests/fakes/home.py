"""A whole installation in a directory: real database, real ledger, real vault; only the clock and the providers are ours."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from agent_marketplace.accounts import assemble
from agent_marketplace.accounts.provider_keys import Verdict
from agent_marketplace.clock import ManualClock
from agent_marketplace.conversations import Agents, Conversations, Favourites
from agent_marketplace.db.engine import Database
from agent_marketplace.ledger.ledger import Ledger
from agent_marketplace.mail import Mail
from agent_marketplace.settings import Settings
from agent_marketplace.vault import Secret, Vault, load_secrets
from tests.fakes.databases import everything_in, here, with_tables
from tests.fakes.letterbox import Letterbox

PASSWORD = "correct horse, not the comic"


class Home:
    """`async with Home(tmp_path) as home`; a second one on the same directory is another process as far as caches go."""

    def __init__(self, directory: Path, clock: ManualClock | None = None, **settings: Any) -> None:
        directory.mkdir(exist_ok=True)
        given = {"database_url": with_tables(directory), **here().settings(), **settings}
        self.settings = replace(Settings(data_dir=directory, models_dir=directory, database_url=""), **given)
        self.clock = clock or ManualClock()
        self.verdict: Verdict = "verified"
        self.probed: list[str] = []

    async def __aenter__(self) -> Self:
        self.db = Database.open(self.settings.database_url)
        self.secrets = load_secrets(self.settings)
        self.ledger = Ledger(self.db, self.clock, secret=self.secrets.checkpoint)
        self.vault = Vault(self.db, self.secrets.keyring, self.clock)
        self.conversations = Conversations(
            self.db, self.vault, self.clock, quota=self.settings.storage_per_user
        )
        self.agents = Agents(
            self.db, self.vault, self.clock, lambda name: name in ("gpt4", "llama2-7b"),
            quota=self.settings.storage_per_user,
        )  # fmt: skip
        self.favourites = Favourites(self.db, self.clock)
        self.post = Letterbox()
        self.mail = Mail(
            self.db,
            self.settings.mail,
            self.clock,
            secret=self.secrets.key_pepper,
            site="https://m.test",
            send=self.post,
        )
        self.accounts = assemble(
            self.db,
            self.ledger,
            self.vault,
            self.settings,
            self.secrets,
            self.clock,
            self.mail,
            probe=self._probe,
            providers=("openai", "anthropic"),
            erasers=(self.conversations.erase_user_in,),
        )
        self.auth = self.accounts.auth
        self.authenticator = self.accounts.authenticator
        return self

    async def __aexit__(self, *_: object) -> None:
        self.accounts.close()
        self.db.close()

    async def _probe(self, provider: str, secret: Secret) -> Verdict:
        self.probed.append(f"{provider} {secret.reveal()}")
        return self.verdict

    def stored(self) -> bytes:
        """Everything that the database keeps: SQLite's files with their write-ahead log, PostgreSQL's rows."""
        return everything_in(self.settings.database_url)


def at_home(directory: Path, test: Callable[[Home], Awaitable[None]], **settings: Any) -> None:
    """Runs a test in a fresh installation."""

    async def go() -> None:
        async with Home(directory, **settings) as home:
            await test(home)

    asyncio.run(go())
