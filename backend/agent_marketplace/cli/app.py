"""The commands of `agent-marketplace`: serve, and everything an operator does from a shell; and what failures are called."""

import contextlib
import gc
import logging
import os
import sqlite3
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from agent_marketplace import __version__, logs
from agent_marketplace.cli.common import FAILED, USAGE, Json, example, fail, load_settings, show
from agent_marketplace.cli.connect import connect
from agent_marketplace.cli.groups import LazyGroups
from agent_marketplace.errors import MarketplaceError, Unavailable
from agent_marketplace.settings import SettingsError

app = typer.Typer(
    cls=LazyGroups,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="AI Agent Marketplace: find, compare, pay for and use AI models and agents.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong use or settings, 130 interrupted. Settings are environment variables: "
    "docs/configuration.md. Begin with:  agent-marketplace serve",
)
app.command("connect", epilog=example("connect", "connect codex --model auto --key sk-aam-... --write"))(
    connect
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def common(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """AI Agent Marketplace: find, compare, pay for and use AI models and agents."""


@app.command(epilog=example("serve --port 8000", "serve --host 0.0.0.0 --workers 4"))
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for every interface")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes (more than 1 needs PostgreSQL)", min=1, max=64)] = 1,
) -> None:
    """Serve the web UI, the REST API and the wires of existing clients."""
    gc.disable()  # as in `cli.main`, for the rest of the modules
    from agent_marketplace.api.server import make_app
    from agent_marketplace.cli import preflight
    from agent_marketplace.cli.lock import sole_server
    from agent_marketplace.cli.serve import serve as serve_until_stopped

    gc.enable()
    settings = load_settings()
    logs.configure(settings)
    if not settings.embedded:
        preflight.check(settings)
    with sole_server(settings):
        status = serve_until_stopped(host, port, workers, settings=settings, app_factory=make_app)
    raise typer.Exit(status)


@app.command("demo", epilog=example("demo --port 8000"))
def run_demo(
    host: Annotated[str, typer.Option(help="Address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on", min=0, max=65535)] = 8000,
) -> None:
    """Serve with a seeded account and a guided tour (docs/tour.md)."""
    from agent_marketplace.cli import demo

    raise typer.Exit(demo.run(host, port))


@app.command(epilog=example("migrate"))
def migrate(as_json: Json = False) -> None:
    """Bring the database to this version's tables; run it before `serve` on PostgreSQL, and after each upgrade."""
    from agent_marketplace.db.engine import Database
    from agent_marketplace.db.migrate import upgrade as upgrade_database

    settings = load_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    database = Database.open(settings.database_url)
    try:
        revision = upgrade_database(database.engine)
    finally:
        database.close()
    show({"revision": revision}, as_json=as_json, text=f"The database is at revision {revision}.")


@app.command("doctor", epilog=example("doctor"))
def examine(
    accept_secrets: Annotated[
        bool,
        typer.Option(
            "--accept-secrets", help="Old secrets are lost for good: go on with those that are there"
        ),
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Ask nobody: mail server, Stripe")] = False,
    as_json: Json = False,
) -> None:
    """Look for what is wrong: settings, secrets, the database, what can't be reached. Exit 1 if there is something."""
    from agent_marketplace.cli import doctor, doctor_reach, doctor_settings

    settings, found = doctor_settings.examine(os.environ)
    if settings is not None:
        if accept_secrets:
            doctor.accept_secrets(settings)
        found += [words for words in doctor.examine(settings) if words not in found]
        found += [] if offline else doctor_reach.examine(settings)
    show({"problems": found}, as_json=as_json, text="\n".join(found) if found else "Nothing is wrong.")
    if found:
        raise typer.Exit(FAILED)


@app.command("backup", epilog=example("backup /backups/marketplace.db", "backup /backups/marketplace.dump"))
def back_up(
    target: Annotated[Path, typer.Argument(help="File to write; it must not exist")],
    as_json: Json = False,
) -> None:
    """Copy the whole database while the server runs: consistent, checked after writing, mode 0600.

    On PostgreSQL this runs pg_dump --format=custom. See also: `restore`.
    """
    from agent_marketplace.cli import backup

    made = backup.backup(load_settings(), target)
    belongs = f" The secrets in {made.secrets} belong to it: keep them too, apart." if made.secrets else ""
    words = f"Wrote {made.file} ({made.size / 1e6:.1f} MB in {made.seconds} s), and read it back."
    show(made, as_json=as_json, text=words + belongs)


@app.command(epilog=example("restore /backups/marketplace.db"))
def restore(
    source: Annotated[Path, typer.Argument(help="A file that `backup` or pg_dump --format=custom wrote")],
    force: Annotated[
        bool, typer.Option("--force", help="SQLite: move the database that is there aside")
    ] = False,
    as_json: Json = False,
) -> None:
    """Put a backup back, brought to this version's tables and with its ledger verified. Stop the server first.

    SQLite: nothing is replaced until the copy is proven. PostgreSQL: DATABASE_URL must name an empty database.
    """
    from agent_marketplace.cli import backup

    done = backup.restore(load_settings(), source, force=force)
    words = f"Restored {source}: revision {done.revision}, {done.accounts} accounts, {done.postings} postings, the books agree."
    if done.unreadable:
        words += f"\n{done.unreadable} sealed rows are under a master key that is not given: their owners must save them anew."
    if done.kept:
        words += f"\nThe database that was there is kept as {done.kept}."
    show(done, as_json=as_json, text=words)


@app.command(epilog=example("openapi > openapi.json"))
def openapi() -> None:
    """Print the API's OpenAPI document."""
    from agent_marketplace.api.document import document_text

    sys.stdout.write(document_text())


@app.command(epilog=example("version"))
def version(as_json: Json = False) -> None:
    """Print the version."""
    show({"version": __version__}, as_json=as_json, text=__version__)


def run() -> None:
    """Runs the command that the arguments name. Whatever fails ends in words and an exit code; the traceback shows at log level debug."""
    os.umask(0o077)  # databases, secrets and copies are the operator's alone
    logging.basicConfig(level=logging.ERROR, format="%(message)s")
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except Exception as error:  # noqa: BLE001  the last line: an operator gets words, whatever it was
        _let_go_of_output()
        if os.environ.get("MARKETPLACE_LOG_LEVEL", "").lower() == "debug":
            print(logs.masked(traceback.format_exc()), file=sys.stderr)
        words, code = words_for(error)
        fail(words, code)


def words_for(error: Exception) -> tuple[str, int]:
    """(what to tell the operator, exit code)."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    from agent_marketplace.db.copies import CopyError
    from agent_marketplace.db.migrate import MigrationError

    if isinstance(error, SettingsError | MigrationError):
        return str(error), USAGE
    if isinstance(error, Unavailable) and isinstance(error.__cause__, SQLAlchemyError):
        error = error.__cause__
    if isinstance(error, DBAPIError | sqlite3.Error):
        cause = error.orig if isinstance(error, DBAPIError) else error
        return (
            f"The database can't be used (see DATABASE_URL, MARKETPLACE_DATA_DIR): {' '.join(str(cause).split())}",
            FAILED,
        )
    if isinstance(error, MarketplaceError):
        return error.message, FAILED
    if isinstance(error, CopyError):
        return str(error), FAILED
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror or error}", FAILED
    told = f"Unexpected {type(error).__name__}: {error}. MARKETPLACE_LOG_LEVEL=debug shows where; please report it."
    return told, FAILED


def _let_go_of_output() -> None:
    """Where standard output can't be written (a full disk), Python must not try again at its end."""
    with contextlib.suppress(OSError, ValueError):
        try:
            sys.stdout.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
