"""Accounts: sign-up, sign-in, sessions, provider keys, subscriptions, wallet."""

from collections.abc import Callable, Sequence
from decimal import Decimal

import sqlalchemy as sa

from agent_marketplace.accounts import key_format, store
from agent_marketplace.accounts.authenticator import FREE_TIER, Authenticator
from agent_marketplace.accounts.emails import normalise_email
from agent_marketplace.accounts.errors import (
    EmailTaken,
    InvalidAmount,
    InvalidCredentials,
    InvalidEmail,
    InvalidToken,
    SignUpClosed,
)
from agent_marketplace.accounts.limits import Limits
from agent_marketplace.accounts.links import Links
from agent_marketplace.accounts.passwords import MAX_LENGTH, Passwords, check_password
from agent_marketplace.accounts.principal import Principal, Role
from agent_marketplace.accounts.provider_keys import ProviderKeys
from agent_marketplace.accounts.sessions import LIFETIME_S, SessionTokens
from agent_marketplace.accounts.signup_credit import SignUpCredit
from agent_marketplace.accounts.user import User, at, shown
from agent_marketplace.accounts.verdicts import Verdicts
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.errors import BadRequest, MarketplaceError, NotFound, PaymentRequired
from agent_marketplace.ids import new_id, new_user_id
from agent_marketplace.ledger.idempotency import digest, once_in
from agent_marketplace.ledger.ledger import Ledger
from agent_marketplace.ledger.money import dollars, nano
from agent_marketplace.ledger.plans import DAYS_A_MONTH, plan_named
from agent_marketplace.mail import Mail
from agent_marketplace.settings import Settings
from agent_marketplace.vault import Vault

Amount = Decimal | int | str
Eraser = Callable[[sa.Connection, str], None]
_DAY_MS = 86_400_000
_FIRST_ADMIN = "first_admin"


class AIAuthService:
    """All accounts. erasers: other rooms' `fn(connection, user_id)` that delete a user's rows with the account."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        vault: Vault,
        settings: Settings,
        clock: Clock,
        *,
        passwords: Passwords,
        tokens: SessionTokens,
        authenticator: Authenticator,
        verdicts: Verdicts,
        limits: Limits,
        provider_keys: ProviderKeys,
        pepper: bytes,
        mail: Mail,
        links: Links,
        credit: SignUpCredit,
        erasers: Sequence[Eraser] = (),
    ) -> None:
        self._db = db
        self._ledger = ledger
        self._vault = vault
        self.settings = settings
        self._clock = clock
        self._passwords = passwords
        self._tokens = tokens
        self._authenticator = authenticator
        self._verdicts = verdicts
        self._limits = limits
        self._provider_keys = provider_keys
        self._pepper = pepper
        self._mail = mail
        self._links = links
        self._credit = credit
        self._erasers = erasers

    async def sign_up(
        self, email: str, password: str, *, invite: str | None = None, address: str | None = None
    ) -> User:
        """A new account with its credit. address: the caller's network address, for the limits.

        Raises EmailTaken, InvalidEmail, WeakPassword, SignUpClosed, RateLimited, Unavailable.
        """
        email = normalise_email(email)
        check_password(password, email)
        if self.settings.signup == "closed":
            raise SignUpClosed("Sign-up is closed here: ask the operator for an account")
        if self.settings.signup == "invite" and not invite:
            raise SignUpClosed("Sign-up needs an invite here")
        self._limits.sign_up(address)
        if await self._db.read(lambda c: store.user_by_email(c, email)) is not None:
            self._limits.taken(address)
            raise EmailTaken
        return await self._create(
            email,
            password,
            invite if self.settings.signup == "invite" else None,
            None,
            address,
            signs_up=True,
        )

    async def create_user(self, email: str, password: str, *, role: Role | None = None) -> User:
        """The operator makes an account, whatever the sign-up mode. role None: the first is admin, others user."""
        email = normalise_email(email)
        check_password(password, email)
        return await self._create(email, password, None, role)

    async def sign_in(self, email: str, password: str, *, address: str | None = None) -> str:
        """A session token of seven days. Raises InvalidCredentials, RateLimited, Unavailable."""
        try:
            email = normalise_email(email)
        except InvalidEmail:
            raise InvalidCredentials from None
        now, device = self._clock.now_ms(), self._device(address)
        row, stored, known = await self._db.read(lambda c: store.credentials(c, email, device, now))
        await self._check(
            email,
            row.user_id if row else "",
            stored,
            password,
            address,
            known_device=known and address is not None,
        )
        assert row is not None  # the decoy of an unknown user never verifies
        return await self._open_session(row.user_id, row.email, address)

    async def open_session(self, user: User, *, address: str | None = None) -> str:
        """A session token for a user who has just proved who they are, e.g. by signing up."""
        return await self._open_session(user.user_id, user.email, address)

    async def verify_token(self, token: str) -> User:
        """The user of a live session. Raises InvalidToken."""
        principal = await self._authenticator.verify(token)
        if principal.kind != "session":
            raise InvalidToken
        return await self.get_user(principal.user_id)

    async def sign_out(self, token: str) -> None:
        """Ends the token's session: at once here, within a second in other processes. Raises InvalidToken."""
        claims = self._tokens.read(token)
        await self.end_session(claims.user_id, claims.session_id)

    async def sessions(self, user_id: str) -> list[store.SessionRow]:
        """A user's live sessions, newest first."""
        now = self._clock.now_ms()
        return await self._db.read(lambda c: store.sessions_of(c, user_id, now))

    async def end_session(self, user_id: str, session_id: str) -> bool:
        """As `sign_out`; False if this user has no such session alive."""
        now = self._clock.now_ms()
        done = await self._db.write(lambda c: store.revoke_session(c, user_id, session_id, now))
        self._verdicts.drop(lambda principal: principal.session_id == session_id)
        return done

    async def end_sessions(self, user_id: str, *, but: str | None = None) -> int:
        """Ends all of a user's sessions (`but` goes on) and says how many: at once here, within a second elsewhere."""
        ended = await self._db.write(lambda c: self.end_sessions_in(c, user_id, but=but))
        self.forget(user_id)
        return ended

    def end_sessions_in(self, connection: sa.Connection, user_id: str, *, but: str | None = None) -> int:
        """`end_sessions` inside the caller's transaction, who calls `forget` after it."""
        return store.revoke_sessions(connection, user_id, self._clock.now_ms(), but=but)

    async def prove(self, user_id: str, password: str, *, address: str | None = None) -> None:
        """The signed-in user types the password again. Raises InvalidCredentials, RateLimited, Unavailable."""
        await self._prove(user_id, password, address)

    async def change_password(
        self, user_id: str, current: str, new: str, *, address: str | None = None, revoke_keys: bool = False
    ) -> str:
        """Ends every session of the user, and every marketplace key if asked to, and returns a new token.

        Raises InvalidCredentials, WeakPassword, RateLimited.
        """
        row, stored = await self._prove(user_id, current, address)
        check_password(new, row.email)
        await self._replace_password(row, stored, new, revoke_keys=revoke_keys)
        return await self._open_session(row.user_id, row.email, address)

    async def set_password(
        self, user_id: str, new: str, *, revoke_keys: bool = False, first: Callable[[sa.Connection], object] | None = None
    ) -> None:  # fmt: skip
        """Whoever may, sets a password; every session of the user ends. first: what must hold in the same transaction, or raises.

        Raises NotFound, WeakPassword.
        """
        row = await self._row(user_id)
        check_password(new, row.email)
        await self._replace_password(row, None, new, revoke_keys=revoke_keys, first=first)

    def set_role_in(self, connection: sa.Connection, user_id: str, role: Role) -> Role:
        """Returns the role before. Takes effect here once `forget` is called, within a second in other processes.

        Raises NotFound, BadRequest (nobody else is an administrator).
        """
        row = store.user(connection, user_id)
        if row is None:
            raise NotFound("No such user")
        if row.role == "admin" and role != "admin":
            store.lock_mark(connection, _FIRST_ADMIN)
            if not store.others(connection, user_id)[1]:
                raise _only_admin()
        store.set_role(connection, user_id, role)
        return row.role

    async def get_user(self, user_id: str) -> User:
        """Raises NotFound."""
        row = await self._row(user_id)
        keys = {key.provider: key.masked for key in await self._vault.list(user_id)}
        return shown(row, await self.get_user_balance(user_id), keys, self._clock.now_ms())

    async def find_user(self, email: str) -> User:
        """Raises NotFound, InvalidEmail."""
        email = normalise_email(email)
        row = await self._db.read(lambda c: store.user_by_email(c, email))
        if row is None:
            raise NotFound("No such user")
        return await self.get_user(row.user_id)

    async def list_users(self, limit: int = 1000) -> list[User]:
        """For the operator: oldest first."""
        return [
            await self.get_user(row.user_id)
            for row in await self._db.read(lambda c: store.all_users(c, limit))
        ]

    async def create_invite(self, created_by: str | None = None, *, days: int = 7) -> str:
        """A code that lets one person sign up; shown once."""
        code, now = new_id("inv"), self._clock.now_ms()
        digest = key_format.digest(self._pepper, "invite", code)
        await self._db.write(lambda c: store.add_invite(c, digest, created_by, now, now + days * _DAY_MS))
        return code

    async def add_api_key(self, user_id: str, provider: str, api_key: str) -> bool:
        """Tests and stores a provider's key. Raises BadRequest: unknown provider, malformed or refused key."""
        await self._provider_keys.save(user_id, provider, api_key)
        return True

    async def get_api_key(self, user_id: str, provider: str) -> str:
        """The plain key, for the one place that calls the provider. Raises NotFound, SecretUnreadable."""
        return (await self._vault.get(user_id, provider)).reveal()

    async def set_subscription(self, user_id: str, tier: str, months: int) -> None:
        """An administrative grant of 30 days a month, without a charge. Raises BadRequest, NotFound."""
        if not 1 <= months <= 120:
            raise BadRequest("months must be from 1 to 120")
        plan_named(tier)
        expires_at = None if tier == FREE_TIER else self._clock.now_ms() + months * DAYS_A_MONTH * _DAY_MS
        if not await self._db.write(lambda c: store.set_tier(c, user_id, tier, expires_at)):
            raise NotFound("No such user")
        self.forget(user_id)

    async def subscribe(self, user_id: str, plan_name: str, *, idempotency_key: str | None = None) -> User:
        """Charges the plan's price and sets or extends the tier, in one transaction, once per idempotency key.

        Raises PaymentRequired, BadRequest (no such plan), NotFound, IdempotencyMismatch.
        """
        plan, now = plan_named(plan_name), self._clock.now_ms()

        def work(connection: sa.Connection) -> None:
            once_in(
                connection,
                f"plan:{user_id}",
                idempotency_key,
                digest(plan.name),
                now,
                lambda: pay_in(connection),
            )

        def pay_in(connection: sa.Connection) -> None:
            row = store.user(connection, user_id)
            if row is None:
                raise NotFound("No such user")
            if plan.price_nano and not self._ledger.charge_in(
                connection, user_id, plan.price_nano, kind="plan", memo=plan.name
            ):
                wallet = self._ledger.balance_in(connection, user_id)
                raise PaymentRequired(
                    "Insufficient balance",
                    extra={
                        "required": dollars(plan.price_nano),
                        "balance": dollars(wallet.balance),
                        "held": dollars(wallet.held),
                        "available": dollars(wallet.available),
                    },
                )
            begin = max(now, row.tier_expires_at or now) if row.tier == plan.name else now
            expires_at = None if plan.name == FREE_TIER else begin + plan.days * _DAY_MS
            store.set_tier(connection, user_id, plan.name, expires_at)

        await self._db.write(work)
        self.forget(user_id)
        return await self.get_user(user_id)

    async def add_balance(
        self, user_id: str, amount: Amount, *, idempotency_key: str | None = None, memo: str = ""
    ) -> None:
        """Adds dollars to the wallet, paid for and without an end. Raises InvalidAmount, NotFound."""
        await self._ledger.grant(
            user_id, _nano(amount), kind="credit", idempotency_key=idempotency_key, memo=memo
        )

    async def deduct_balance(
        self, user_id: str, amount: Amount, *, idempotency_key: str | None = None
    ) -> bool:
        """Takes dollars from the wallet; False if what is available is less. Raises InvalidAmount, NotFound."""
        return await self._ledger.charge(
            user_id, _nano(amount), kind="deduction", idempotency_key=idempotency_key
        )

    async def get_user_balance(self, user_id: str) -> Decimal:
        """Dollars, exact; what open holds keep is still in it. Raises NotFound."""
        return dollars((await self._ledger.balance(user_id)).balance)

    async def delete_account(self, user_id: str, password: str, *, address: str | None = None) -> None:
        """Deletes everything but the ledger's postings, which name no person. Raises InvalidCredentials, BadRequest."""
        await self._prove(user_id, password, address)

        def work(connection: sa.Connection) -> None:
            self._keep_an_admin(connection, user_id)
            for erase in (self._vault.erase_user_in, *self._erasers, store.erase_user):
                erase(connection, user_id)

        await self._db.write(work)
        self._vault.forget(user_id)
        self.forget(user_id)

    async def export_account(self, user_id: str) -> dict[str, object]:
        """What this room knows of a user, ready for JSON; secrets are left out. Raises NotFound."""
        user, now = await self.get_user(user_id), self._clock.now_ms()
        live = await self._db.read(lambda c: store.sessions_of(c, user_id, now))
        keys = await self._db.read(lambda c: store.keys_of(c, user_id))
        return {
            "user_id": user.user_id,
            "email": user.email,
            "role": user.role,
            "tier": user.subscription_tier,
            "subscription_expires": user.subscription_expires,
            "balance": user.balance,
            "created_at": user.created_at,
            "api_keys": [
                {
                    "provider": key.provider,
                    "masked": key.masked,
                    "status": key.status,
                    "created_at": at(key.created_at),
                }
                for key in await self._vault.list(user_id)
            ],
            "keys": [
                {"id": k.key_id, "name": k.name, "prefix": k.prefix, "created_at": at(k.created_at)}
                for k in keys
            ],
            "sessions": [{"created_at": at(s.created_at), "expires_at": at(s.expires_at)} for s in live],
        }

    async def _create(
        self, email: str, password: str, invite: str | None, role: Role | None, address: str | None = None,
        *, signs_up: bool = False,
    ) -> User:  # fmt: skip
        stored, now, user_id = await self._passwords.hash(password), self._clock.now_ms(), new_user_id()

        def work(connection: sa.Connection) -> None:
            if invite is not None and not store.use_invite(
                connection, key_format.digest(self._pepper, "invite", invite), user_id, now
            ):
                raise SignUpClosed("This invite is unknown, used or expired")
            first = store.mark_once(connection, _FIRST_ADMIN, user_id, now)
            chosen: Role = role or ("admin" if first else "user")
            store.add_user(connection, store.UserRow(user_id, email, chosen, FREE_TIER, None, now), stored)
            asks = signs_up and not first and self.settings.mail.confirm
            credit = 0 if asks else self._credit.due_in(connection, email, address, user_id, now)
            spendable = self._credit.spendable
            self._ledger.open_account_in(
                connection, user_id, credit_nano=credit, kind="signup", spendable=spendable
            )
            if asks:
                self._links.send_in(connection, "confirm", user_id)

        try:
            await self._db.write(work)
        except sa.exc.IntegrityError:
            if await self._db.read(lambda c: store.user_by_email(c, email)) is None:
                raise
            raise EmailTaken from None
        return await self.get_user(user_id)

    async def _check(
        self,
        email: str,
        user_id: str,
        stored: str | None,
        password: str,
        address: str | None,
        *,
        known_device: bool,
    ) -> None:
        """Verifies a password within the limits on guessing. Raises InvalidCredentials, RateLimited, Unavailable."""
        if len(password) > MAX_LENGTH:
            raise InvalidCredentials
        guess = self._limits.guess(email, address, known_device=known_device)
        try:
            right, better = await self._passwords.verify(stored, password)
        except MarketplaceError:
            guess.right()
            raise
        if not right:
            raise InvalidCredentials
        guess.right()
        if better is not None:
            await self._db.write(lambda c: store.replace_password(c, user_id, stored, better))

    async def _prove(self, user_id: str, password: str, address: str | None) -> tuple[store.UserRow, str]:
        """The signed-in user types the password again. Returns the row and the hash that stands now."""
        row = await self._row(user_id)
        stored = await self._db.read(lambda c: store.password_hash(c, user_id))
        await self._check(row.email, user_id, stored, password, address, known_device=True)
        return row, await self._db.read(lambda c: store.password_hash(c, user_id)) or ""

    async def _replace_password(
        self, row: store.UserRow, old: str | None, new: str, *, revoke_keys: bool = False,
        first: Callable[[sa.Connection], object] | None = None,
    ) -> None:  # fmt: skip
        stored, now = await self._passwords.hash(new), self._clock.now_ms()

        def work(connection: sa.Connection) -> None:
            if first is not None:
                first(connection)
            self._links.end_in(connection, row.user_id)
            if not store.replace_password(connection, row.user_id, old, stored):
                raise InvalidCredentials
            self._mail.post_in(connection, "password", row.user_id, {})
            store.revoke_sessions(connection, row.user_id, now)
            if revoke_keys:
                store.drop_grants_of(connection, row.user_id)
                for key in store.keys_of(connection, row.user_id):
                    store.revoke_key(connection, row.user_id, key.key_id, now)

        await self._db.write(work)
        self.forget(row.user_id)

    async def _open_session(self, user_id: str, email: str, address: str | None) -> str:
        now, session_id = self._clock.now_ms(), new_id("ses")
        row = store.SessionRow(session_id, user_id, self._device(address), now, now + LIFETIME_S * 1000, None)
        await self._db.write(lambda c: store.add_session(c, row, now))
        return self._tokens.issue(session_id, user_id, email)

    async def _row(self, user_id: str) -> store.UserRow:
        row = await self._db.read(lambda c: store.user(c, user_id))
        if row is None:
            raise NotFound("No such user")
        return row

    def _keep_an_admin(self, connection: sa.Connection, user_id: str) -> None:
        store.lock_mark(connection, _FIRST_ADMIN)  # two administrators who leave at once wait for each other
        users, admins = store.others(connection, user_id)
        if users and not admins:
            raise _only_admin()
        if not users:
            store.clear_mark(connection, _FIRST_ADMIN)

    def _device(self, address: str | None) -> str:
        return key_format.digest(self._pepper, "address", address or "")

    def forget(self, user_id: str) -> None:
        """What this process knows of an account's credentials is read again."""

        def theirs(principal: Principal) -> bool:
            return principal.user_id == user_id

        self._verdicts.drop(theirs)


def _only_admin() -> BadRequest:
    return BadRequest("This is the only administrator: make another one first", code="last_admin")


def _nano(amount: Amount) -> int:
    try:
        value = nano(amount)
    except ValueError as e:
        raise InvalidAmount(str(e)) from None
    if value <= 0:
        raise InvalidAmount("The amount must be more than 0")
    return value
