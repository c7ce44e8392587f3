"""Groups of commands, each loaded when one of its commands is asked for: `--help` and completion name them without."""

from importlib import import_module
from typing import Any, NamedTuple

import typer
import typer.core
import typer.main


class Group(NamedTuple):
    """Where a group's `typer.Typer` is, and what it is for."""

    module: str
    attribute: str
    help: str


GROUPS = {
    "user": Group(
        "accounts", "users", "Accounts: create, list, grant credit, set passwords and roles, invite."
    ),
    "key": Group("accounts", "keys", "Marketplace keys for programs."),
    "models": Group("weights", "app", "Weights of models that run on this machine, without a key."),
    "catalog": Group(
        "catalog", "app", "The catalogue of models and offers, its price feeds and their review."
    ),
    "vault": Group("money", "vault", "The vault of provider keys."),
    "ledger": Group("money", "ledger", "The double-entry ledger."),
    "usage": Group("money", "usage", "The sums of what was used."),
    "bounds": Group("bounds", "bounds", "Offers that billed more than was held for them."),
}


class LazyGroups(typer.core.TyperGroup):
    """The program's own commands, and `GROUPS`."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*(name for name in super().list_commands(ctx) if name not in GROUPS), *GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Of a group that is not loaded only its name and what it is for."""
        if cmd_name in GROUPS and cmd_name not in self.commands:
            return typer.core.TyperGroup(name=cmd_name, help=GROUPS[cmd_name].help)
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] in GROUPS:
            self.load(args[0])
        return super().resolve_command(ctx, args)

    def load(self, name: str) -> None:
        """Makes a group's commands known."""
        if name in self.commands:
            return
        group = GROUPS[name]
        made = getattr(import_module(f"agent_marketplace.cli.{group.module}"), group.attribute)
        command = typer.main.get_group(made)
        command.name, command.help = name, group.help
        self.commands[name] = command
