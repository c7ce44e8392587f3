"""The signature of payment notices: `X-Marketplace-Signature: t=SECONDS,v1=HEX`, HMAC-SHA-256 over `SECONDS.BODY`."""

import hashlib
import hmac
import re

import msgspec

from agent_marketplace.errors import BadRequest, Unauthorized
from agent_marketplace.payments.types import Said

WINDOW_S = 300
MAX_BODY = 16_384
_HEADER = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body. amount: in the currency's smallest unit; id: the payment's own, unique; paid_at: seconds since the epoch;
    payer: what was paid with, as the processor tells one card or account from another."""

    order: str
    account: str
    amount: int
    currency: str
    paid_at: int
    id: str
    payer: str = ""


def sign(secret: str, seconds: int, body: bytes) -> str:
    """The header that belongs to a body."""
    mac = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={mac.hexdigest()}"


def check(secret: str, header: str, body: bytes, now_ms: int) -> None:
    """Raises Unauthorized unless the body was signed with the secret in the last five minutes (clocks may differ as much)."""
    found = _HEADER.fullmatch(header)
    if found is None or not hmac.compare_digest(sign(secret, int(found[1]), body), header):
        raise Unauthorized("The signature does not fit the body")
    if abs(now_ms // 1000 - int(found[1])) > WINDOW_S:
        raise Unauthorized("The signature is too old, or the clocks differ by more than five minutes")


def read(body: bytes) -> Said:
    """What a notice says. Raises BadRequest."""
    try:
        notice = msgspec.json.decode(body, type=Notice)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The notice can't be read: {error}") from None
    if not (0 < len(notice.id) <= 200 and 0 < len(notice.order) <= 40):
        raise BadRequest("A notice's id has 1 to 200 characters, its order 1 to 40")
    if len(notice.payer) > 200:
        raise BadRequest("A notice's payer has at most 200 characters")
    return Said(
        method="webhook",
        order_id=notice.order,
        external_id=notice.id,
        currency=notice.currency.upper(),
        minor=notice.amount,
        account=notice.account,
        body=body.decode(),
        payer=notice.payer,
    )
