"""`user` and `key`: accounts and keys for programs."""

import getpass
import secrets
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from agent_marketplace.accounts.keys import Cap
from agent_marketplace.admin.admin import Actor, credit_terms
from agent_marketplace.api import account_views
from agent_marketplace.cli.common import USAGE, Json, example, fail, show, table, with_desk, with_market
from agent_marketplace.ledger import Money
from agent_marketplace.opening import Desk

if TYPE_CHECKING:
    from agent_marketplace.app import Market

users = typer.Typer(no_args_is_help=True)
keys = typer.Typer(no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The account's e-mail address")]


def _password(prompt: str) -> str:
    """From the terminal without echo, or the first line of standard input."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


@users.command(
    "create",
    epilog=example(
        "user create you@example.com", "user create you@example.com --role user --json < password.txt"
    ),
)
def create_user(
    email: Email,
    role: Annotated[
        Literal["user", "admin"] | None, typer.Option(help="Default: the first account is admin")
    ] = None,
    password: Annotated[
        str | None, typer.Option(help="Seen by whoever lists processes: better by standard input")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make an account. The password is asked for, or read from standard input; without one, one is made and shown."""
    given = password or _password("Password (empty: make one): ")
    chosen = given or secrets.token_urlsafe(15)

    async def work(desk: Desk) -> None:
        user = await desk.accounts.auth.create_user(email, chosen, role=role)
        made = {} if given else {"password": chosen}
        text = f"{user.email} ({user.role}) has ${user.balance}; id {user.user_id}"
        show(
            {**account_views.profile(user), **made},
            as_json=as_json,
            text=text if given else f"{text}; password {chosen}",
        )

    with_desk(work, begins=True)


@users.command("list", epilog=example("user list"))
def list_users(as_json: Json = False) -> None:
    """List accounts with role, plan and balance."""

    async def work(desk: Desk) -> None:
        found = await desk.accounts.auth.list_users()
        if as_json:
            for user in found:
                show(account_views.profile(user), as_json=True, text="")
        else:
            print(table([(u.email, u.role, u.subscription_tier, f"${u.balance}", u.user_id) for u in found],
                        ("EMAIL", "ROLE", "PLAN", "BALANCE", "ID")))  # fmt: skip

    with_desk(work)


@users.command(
    "grant", epilog=example("user grant you@example.com 20", "user grant you@example.com 5 --gift --days 30")
)
def grant(
    email: Email,
    amount: Annotated[str, typer.Argument(help="Dollars, for example 5 or 2.50")],
    idempotency_key: Annotated[str | None, typer.Option(help="The same key grants only once")] = None,
    gift: Annotated[bool, typer.Option("--gift", help="Nobody paid for it: it is spent first")] = False,
    days: Annotated[int | None, typer.Option(help="It ends after so many days", min=1, max=3650)] = None,
    as_json: Json = False,
) -> None:
    """Add credit to a wallet: paid for and without an end unless said otherwise."""

    async def work(desk: Desk) -> None:
        user = await desk.accounts.auth.find_user(email)
        await desk.admin.credit(
            Actor.at_the_command_line(),
            user.user_id,
            _above_zero(amount),
            idempotency_key=idempotency_key,
            reason="granted by the operator",
            terms=credit_terms(desk.books.clock.now_ms(), gift=gift, days=days),
        )
        balance = await desk.accounts.auth.get_user_balance(user.user_id)
        show(
            {"email": user.email, "balance": balance},
            as_json=as_json,
            text=f"{user.email} now has ${balance}",
        )

    with_desk(work)


def _above_zero(amount: str) -> int:
    try:
        nano = Money.of(amount).nano
    except ValueError as error:
        fail(str(error), USAGE)
    if nano <= 0:
        fail("The amount must be more than 0", USAGE)
    return nano


@users.command("trust", epilog=example("user trust you@example.com", "user trust you@example.com --off"))
def trust(
    email: Email,
    off: Annotated[bool, typer.Option("--off", help="Take the mark away")] = False,
    as_json: Json = False,
) -> None:
    """Let an account's own keys, local and free calls count in ratings and popularity like paid ones."""

    async def work(desk: Desk) -> None:
        user = await desk.accounts.auth.find_user(email)
        await desk.admin.trust(
            Actor.at_the_command_line(), user.user_id, trusted=not off, reason="marked by the operator"
        )
        said = "no longer trusted" if off else "trusted: its calls count in ratings and popularity"
        show({"email": user.email, "trusted": not off}, as_json=as_json, text=f"{user.email} is {said}")

    with_desk(work)


@users.command("passwd", epilog=example("user passwd you@example.com"))
def set_password(email: Email, as_json: Json = False) -> None:
    """Set a new password; every session of the account ends. It is asked for, or read from standard input."""
    password = _password("New password: ")

    async def work(desk: Desk) -> None:
        user = await desk.accounts.auth.find_user(email)
        await desk.accounts.auth.set_password(user.user_id, password)
        text = f"The password of {user.email} is set; all sessions have ended."
        show({"email": user.email}, as_json=as_json, text=text)

    with_desk(work)


@users.command("signout", epilog=example("user signout you@example.com"))
def sign_out(email: Email, as_json: Json = False) -> None:
    """End every session of an account; running servers refuse them within a second. Keys go on: see `key revoke`."""

    async def work(desk: Desk) -> None:
        user = await desk.accounts.auth.find_user(email)
        by = Actor.at_the_command_line()
        ended = await desk.admin.end_sessions(by, user.user_id, reason="by the operator")
        text = f"{ended} sessions of {user.email} have ended."
        show({"email": user.email, "ended": ended}, as_json=as_json, text=text)

    with_desk(work)


@users.command("storage", epilog=example("user storage you@example.com"))
def storage(email: Email, as_json: Json = False) -> None:
    """Count anew what an account's chats and agents take, which its quota bounds (MARKETPLACE_STORAGE_PER_USER)."""

    async def work(market: "Market") -> None:
        user = await market.accounts.auth.find_user(email)
        before, now = await market.conversations.recount(user.user_id)
        quota = market.settings.storage_per_user
        text = f"{user.email} stores {now} bytes" + (f" of {quota}" if quota else "")
        text += "" if before == now else f" (the running total said {before}: mended)"
        show(
            {"email": user.email, "stored_bytes": now, "counted_before": before, "quota_bytes": quota},
            as_json=as_json,
            text=text,
        )

    with_market(work)


@users.command("role", epilog=example("user role you@example.com admin"))
def set_role(
    email: Email,
    role: Annotated[Literal["user", "admin"], typer.Argument(help="user or admin")],
    as_json: Json = False,
) -> None:
    """Make an account an administrator, or a plain user."""

    async def work(desk: Desk) -> None:
        user = await desk.accounts.auth.find_user(email)
        by = Actor.at_the_command_line()
        await desk.admin.set_role(by, user.user_id, role, reason="by the operator")
        show({"email": user.email, "role": role}, as_json=as_json, text=f"{user.email} is now {role}.")

    with_desk(work)


@users.command("invite", epilog=example("user invite --days 7"))
def invite(
    days: Annotated[int, typer.Option(help="Days until it expires", min=1, max=365)] = 7,
    as_json: Json = False,
) -> None:
    """Make an invitation code for MARKETPLACE_SIGNUP=invite."""

    async def work(desk: Desk) -> None:
        code = await desk.accounts.auth.create_invite(days=days)
        show({"code": code, "days": days}, as_json=as_json, text=code)

    with_desk(work, begins=True)


@keys.command("create", epilog=example("key create --user you@example.com --name ci --cap 5 --period day"))
def create_key(
    user: Annotated[str, typer.Option(help="The account's e-mail address")],
    name: Annotated[str, typer.Option(help="What the key is for")] = "cli",
    cap: Annotated[str | None, typer.Option(help="The most it may spend, dollars")] = None,
    period: Annotated[
        Literal["total", "day", "week", "month"], typer.Option(help="Per what the cap counts")
    ] = "total",
    expires_in_days: Annotated[int | None, typer.Option(min=1, max=3650)] = None,
    as_json: Json = False,
) -> None:
    """Make a key; its text is printed once and can't be had again."""

    async def work(desk: Desk) -> None:
        owner = await desk.accounts.auth.find_user(user)
        limit = None
        if cap is not None:
            try:
                limit = Cap(Money.of(cap).nano, period)
            except ValueError as error:
                fail(str(error), USAGE)
        made = await desk.accounts.keys.create(
            owner.user_id, name, expires_in_days=expires_in_days, cap=limit
        )
        show(account_views.created_key(made), as_json=as_json, text=made.key)

    with_desk(work)


@keys.command("list", epilog=example("key list --user you@example.com"))
def list_keys(
    user: Annotated[str, typer.Option(help="The account's e-mail address")], as_json: Json = False
) -> None:
    """List an account's keys, without their text."""

    async def work(desk: Desk) -> None:
        owner = await desk.accounts.auth.find_user(user)
        found = await desk.accounts.keys.list(owner.user_id)
        if as_json:
            for key in found:
                show(account_views.key(key), as_json=True, text="")
        else:
            rows = [(k.key_id, k.name, k.prefix, account_views.iso(k.expires_at) or "never") for k in found]
            print(table(rows, ("ID", "NAME", "KEY", "EXPIRES")))

    with_desk(work)


@keys.command("revoke", epilog=example("key revoke KEY_ID --user you@example.com"))
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The key's id, from `key list`")],
    user: Annotated[str, typer.Option(help="The account's e-mail address")],
    as_json: Json = False,
) -> None:
    """Revoke a key; running servers refuse it within a second."""

    async def work(desk: Desk) -> None:
        owner = await desk.accounts.auth.find_user(user)
        await desk.accounts.keys.revoke(owner.user_id, key_id)
        show({"id": key_id, "revoked": True}, as_json=as_json, text="Revoked.")

    with_desk(work)
