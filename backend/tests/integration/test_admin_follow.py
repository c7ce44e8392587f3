"""What another process changed counts here after one look at the database."""

from agent_marketplace.admin import store
from agent_marketplace.admin.operator_keys import OPERATOR
from agent_marketplace.vault import Secret, Vault
from tests.fakes.rig import Rig, on_rig
from tests.fakes.upstream import Behaviour

KEY = "sk-of-another-process-0123456789"


@on_rig(Behaviour())
async def test_one_look_brings_choices_and_the_operators_keys(rig: Rig) -> None:
    market = rig.market
    await market.follow()
    await market.db.write(lambda c: store.choose(c, "MARKETPLACE_SIGNUP", "closed", 1))
    await Vault(market.db, market.vault._ring, market.clock).put(OPERATOR, "mistral", Secret(KEY))
    await market.follow()
    endpoint = market.endpoints.get("mistral")
    assert endpoint is not None
    assert (market.settings.signup, endpoint.key) == ("closed", KEY)
