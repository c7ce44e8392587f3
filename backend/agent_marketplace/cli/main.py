"""`agent-marketplace`: serve, and everything an operator does from a shell. Exit codes: 0 done, 1 failed, 2 wrong use."""

import os
import sys
from typing import Annotated

import typer

from agent_marketplace import __version__, logs
from agent_marketplace.cli import accounts, catalog, demo, money, preflight, weights
from agent_marketplace.cli.common import fail, load_settings
from agent_marketplace.cli.serve import serve as serve_until_stopped
from agent_marketplace.db.engine import Database
from agent_marketplace.db.migrate import MigrationError
from agent_marketplace.db.migrate import upgrade as upgrade_database
from agent_marketplace.errors import MarketplaceError
from agent_marketplace.settings import SettingsError

app = typer.Typer(no_args_is_help=True, help="AI Agent Marketplace: find, compare, pay for and use AI models and agents.")
app.add_typer(accounts.users, name="user")
app.add_typer(accounts.keys, name="key")
app.add_typer(weights.app, name="models")
app.add_typer(catalog.app, name="catalog")
app.add_typer(money.vault, name="vault")
app.add_typer(money.ledger, name="ledger")


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for every interface")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes (more than 1 needs PostgreSQL)", min=1, max=64)] = 1,
) -> None:
    """Serve the web UI, the REST API and the wires of existing clients."""
    from agent_marketplace.api.server import make_app

    settings = load_settings()
    logs.configure(settings)
    if not settings.embedded:
        preflight.check(settings)
        os.environ.setdefault(
            "MARKETPLACE_PROCESSES", str(workers)
        )  # read by the workers: each takes its share of the limits
    raise typer.Exit(serve_until_stopped(host, port, workers, settings=settings, app_factory=make_app))


@app.command("demo")
def run_demo(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on", min=0, max=65535)] = 8000,
) -> None:
    """Serve with a seeded account and a guided tour (docs/tour.md)."""
    raise typer.Exit(demo.run(host, port))


@app.command()
def migrate() -> None:
    """Bring the database to this version's tables; run it before `serve` on PostgreSQL, and after each upgrade."""
    settings = load_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database.open(settings.database_url)
    try:
        print(f"The database is at revision {upgrade_database(database.engine)}.")
    finally:
        database.close()


@app.command()
def backup(
    target: Annotated[str, typer.Argument(help="File to write (SQLite); it must not exist")],
) -> None:
    """Copy the SQLite database while the server runs (PostgreSQL: use pg_dump).

    To restore: stop the server, put the copy in the data directory as marketplace.db (remove marketplace.db-wal and -shm),
    keep the secrets directory that belongs to it, start, and run `agent-marketplace ledger verify`.
    """
    money.backup(load_settings(), target)


@app.command()
def openapi() -> None:
    """Print the API's OpenAPI document."""
    from agent_marketplace.api.document import document_text

    sys.stdout.write(document_text())


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


def main() -> None:
    """The console script."""
    try:
        app()
    except (SettingsError, MigrationError) as error:
        fail(str(error), 2)
    except MarketplaceError as error:
        fail(str(error))
