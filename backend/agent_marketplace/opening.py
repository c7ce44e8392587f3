"""The books of an installation without its server: database, secrets, ledger, sums of usage, vault, accounts. What most commands need,
at a fraction of what the whole composition (`app`) costs to load."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent_marketplace.clock import Clock, SystemClock
from agent_marketplace.db import migrate
from agent_marketplace.db.engine import Database
from agent_marketplace.db.reports import Reports
from agent_marketplace.db.segments import Segments
from agent_marketplace.ledger import Ledger
from agent_marketplace.ledger.archive import Archiver
from agent_marketplace.settings import Settings
from agent_marketplace.usage_log import UsageLog
from agent_marketplace.vault import InstallationSecrets, Vault, checks, load_secrets

if TYPE_CHECKING:  # loaded by `open_desk`: who only reads the books does not wait for it
    from agent_marketplace.accounts.assemble import Accounts
    from agent_marketplace.admin.admin import Admin
    from agent_marketplace.providers.probe import Verdict

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Books:
    """`close` when done. Nothing here runs in the background, and nothing is asked of a provider."""

    settings: Settings
    clock: Clock
    secrets: InstallationSecrets
    db: Database
    ledger: Ledger
    vault: Vault
    reports: Reports
    usage_log: UsageLog
    archiver: Archiver

    def close(self) -> None:
        self.reports.close()
        self.db.close()


@dataclass(frozen=True, slots=True)
class Desk:
    """Who is served: accounts and keys, beside the books. It deletes no account, for that concerns every room (`app`)."""

    books: Books
    accounts: "Accounts"
    admin: "Admin"


def open_books(settings: Settings, *, clock: Clock | None = None, strict: bool = True) -> Books:
    """Raises SettingsError, MigrationError. The database is brought to this version first.

    strict: not where data exist that one of the secrets does not open.
    """
    clock = clock or SystemClock()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    secrets = load_secrets(settings)
    if secrets.created:
        names = ", ".join(path.name for path in secrets.created)
        log.info(
            "made %s in %s: keep them with your backups, apart from the copies",
            names,
            secrets.created[0].parent,
        )
    db = _opened(settings, secrets if strict else None, clock)
    reports, segments = Reports(db), Segments(settings.archive_dir)
    return Books(
        settings=settings,
        clock=clock,
        secrets=secrets,
        db=db,
        ledger=Ledger(
            db, clock, secret=secrets.checkpoint, hold_ttl_s=settings.hold_ttl_s, segments=segments
        ),
        vault=Vault(db, secrets.keyring, clock),
        reports=reports,
        usage_log=UsageLog(db, reports, segments),
        archiver=Archiver(db, segments, clock, secrets.checkpoint),
    )


def open_desk(books: Books) -> Desk:
    """Accounts as an operator's commands use them."""
    from agent_marketplace.accounts.assemble import assemble
    from agent_marketplace.admin.admin import Admin
    from agent_marketplace.mail import Mail

    b = books
    mail = Mail(b.db, b.settings.mail, b.clock, secret=b.secrets.key_pepper, site=b.settings.site)
    accounts = assemble(
        b.db, b.ledger, b.vault, b.settings, b.secrets, b.clock, mail, probe=_unverified, providers=()
    )
    return Desk(books, accounts, Admin(b.db, b.ledger, accounts.auth, b.clock))


async def _unverified(_provider: str, _secret: object) -> "Verdict":
    raise RuntimeError("no command asks a provider")


def _opened(settings: Settings, secrets: InstallationSecrets | None, clock: Clock) -> Database:
    """The database with this version's tables; secrets: refused where data exist that one of them does not open."""
    db = Database.open(settings.database_url)
    try:
        if settings.embedded:
            migrate.upgrade(db.engine)
        else:
            migrate.check(db.engine)
        if secrets is not None:
            db.read_sync(lambda c: checks.require(c, secrets))
            db.write_sync(lambda c: checks.remember_in(c, secrets, clock.now_ms()))
    except BaseException:  # whatever it was, nothing is served from this database
        db.close()
        raise
    return db
