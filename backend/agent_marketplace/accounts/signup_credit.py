"""The sign-up credit: once per e-mail address and mailbox, so many times a day per network address, within the day's total."""

import sqlalchemy as sa

from agent_marketplace.accounts import key_format, store
from agent_marketplace.accounts.emails import mailbox, network
from agent_marketplace.accounts.user import at
from agent_marketplace.ledger import Terms
from agent_marketplace.ledger.ledger import Ledger
from agent_marketplace.settings import Settings


class SignUpCredit:
    """Who gets it."""

    def __init__(self, ledger: Ledger, settings: Settings, pepper: bytes) -> None:
        self._ledger = ledger
        self.settings = settings
        self._pepper = pepper

    @property
    def spendable(self) -> bool:
        """Whether it may pay for models on the operator's keys."""
        return self.settings.signup_credit_use == "all"

    def due_in(
        self, connection: sa.Connection, email: str, address: str | None, user_id: str, now: int
    ) -> int:
        """Counts it and returns it, nano-dollars; 0 where there is none. The caller posts it in the same transaction."""
        wanted = self.settings.signup_credit_nano
        names = {email, mailbox(email)}
        marks = ["credit:" + key_format.digest(self._pepper, "email", name) for name in sorted(names)]
        if wanted == 0 or not all(store.mark_once(connection, mark, user_id, now) for mark in marks):
            return 0
        day = at(now).date().isoformat()
        if not self._from_in(connection, address, day, user_id, now):
            return 0
        left = self._ledger.signup_credit_left_in(connection, day, self.settings.signup_credit_daily_nano)
        return wanted if left >= wanted else 0

    def give_in(
        self, connection: sa.Connection, email: str, address: str | None, user_id: str, now: int
    ) -> int:
        """Posts what is due to an account that was opened without it. Returns it, nano-dollars."""
        credit = self.due_in(connection, email, address, user_id, now)
        if credit:
            terms = Terms(paid=False, source="signup", frozen=not self.spendable)
            self._ledger.grant_in(
                connection, user_id, credit, kind="signup", memo="address confirmed", terms=terms
            )
        return credit

    def _from_in(
        self, connection: sa.Connection, address: str | None, day: str, user_id: str, now: int
    ) -> bool:
        """Whether one of the day's credits for a network address was left. The operator's own accounts come from none."""
        most = self.settings.credits_per_address
        if address is None or not most:
            return True
        place = "credit-from:" + key_format.digest(self._pepper, "address", f"{network(address)} {day}")
        return any(store.mark_once(connection, f"{place[:60]}:{n}", user_id, now) for n in range(most))
