"""The room's face: what this server offers, orders, codes, what goes back, disputes of answers."""

from agent_marketplace.admin import Admin
from agent_marketplace.clock import Clock
from agent_marketplace.db.engine import Database
from agent_marketplace.ledger import Ledger
from agent_marketplace.mail import Mail
from agent_marketplace.payments import store
from agent_marketplace.payments.checkout import Checkout
from agent_marketplace.payments.codes import Codes
from agent_marketplace.payments.disputes import Disputes, Resolve
from agent_marketplace.payments.orders import Orders
from agent_marketplace.payments.processor import Processor
from agent_marketplace.payments.recharge import Recharge
from agent_marketplace.payments.returns import Returns
from agent_marketplace.payments.types import Order
from agent_marketplace.settings import PaymentSettings


class Payments:
    """Money in and money back. settings: those that count now, an administrator may change them; resolve: a model's name -> its id;
    processor: of cards; site: the public address."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        admin: Admin,
        settings: PaymentSettings,
        clock: Clock,
        resolve: Resolve,
        processor: Processor,
        mail: Mail,
        site: str | None = None,
    ) -> None:
        self._db = db
        self.settings = settings

        def now() -> PaymentSettings:
            return self.settings

        self.orders = Orders(db, ledger, admin, now, clock, mail)
        self.codes = Codes(db, self.orders, admin, clock)
        self.returns = Returns(db, ledger, admin, self.orders, now, clock, mail)
        self.disputes = Disputes(db, ledger, admin, resolve, clock, mail)
        self.recharge = Recharge(db, ledger, self.orders, processor, now, clock, mail, site)
        self.checkout = Checkout(db, self.orders, self.returns, self.recharge, processor, site, clock)

    async def overview(self, since: int) -> dict[str, int]:
        """See `store.overview`. since: ms."""
        return await self._db.read(lambda c: store.overview(c, since))

    @property
    def by_card(self) -> bool:
        """Whether cards are taken here: without the secrets their routes are not there."""
        return "stripe" in self.settings.methods

    async def sweep(self) -> None:
        """Every few minutes: asks the processor about what has waited."""
        if self.by_card:
            await self.checkout.sweep()
            await self.recharge.sweep()

    async def beat(self) -> None:
        """Every few seconds: recharges what is low."""
        if self.by_card:
            await self.recharge.beat()

    def pay_url(self, order: Order) -> str | None:
        """Where an order is paid: the operator's own page, with what its notice has to say."""
        if order.method != "webhook" or order.state != "pending" or self.settings.url is None:
            return None
        values = {
            "order": order.id,
            "account": order.user_id,
            "amount": str(order.minor),
            "currency": order.currency,
        }
        url = self.settings.url
        for name, value in values.items():
            url = url.replace("{" + name + "}", value)
        return url
