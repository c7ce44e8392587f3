"""`agent-marketplace connect`: a client's settings, ready to be pasted or written. Speaks to no server and no database."""

import os
from pathlib import Path
from typing import Annotated

import typer

from agent_marketplace.cli.common import USAGE, fail
from agent_marketplace.connect.table import Client, Connection, Step, clients, shown

_KEY = "MARKETPLACE_API_KEY"


def connect(
    client: Annotated[str, typer.Argument(help="A client's id; without it they are listed")] = "",
    model: Annotated[str, typer.Option(help="The model that it is to use")] = "auto",
    origin: Annotated[str, typer.Option(help="Where the marketplace is")] = "http://127.0.0.1:8000",
    key: Annotated[str, typer.Option(help="A marketplace key (`key create`)", envvar=_KEY)] = "",
    write: Annotated[
        bool, typer.Option(help="Write the files; one that is already there is left alone")
    ] = False,
) -> None:
    """Print or write the settings that let an editor, agent or SDK use this marketplace."""
    known = {c.id: c for c in clients()}
    if not client:
        for one in known.values():
            print(f"{one.id:<20} {one.name:<28} {_proof(one)}")
        return
    if client not in known:
        fail(f"No client is called {client!r}; there are {', '.join(known)}", USAGE)
    if not key:
        fail(f"--key (or {_KEY}) is needed: `agent-marketplace key create --user EMAIL` makes one", USAGE)
    chosen, place = known[client], Connection(origin=origin.rstrip("/"), key=key, model=model)
    print(f"# {chosen.name}: {_proof(chosen)}" + (f"\n# {chosen.note}" if chosen.note else ""))
    for step in chosen.steps:
        text = shown(step.template(), place)
        if write and step.file:
            _write(step, text)
        else:
            print(f"\n# {step.where}\n{text}")


def _proof(client: Client) -> str:
    if client.tried:
        return f"tried with {client.version}"
    return f"from its documentation of {client.documented}, not tried"


def _write(step: Step, text: str) -> None:
    """A file that only its owner reads: it holds a key. One that is there may hold more than we know of."""
    path = Path(step.file).expanduser()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"{path.parent} can't be made: {error.strerror}")
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(f"\n# {path} is already there and was left alone; add this:\n{text}")
        return
    except OSError as error:
        fail(f"{path} can't be written: {error.strerror}")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text.strip("\n") + "\n")
    print(f"wrote {path}")
