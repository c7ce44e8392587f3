"""E-mail addresses: one normal form per mailbox, so that no two accounts share an address that looks the same."""

import re
import unicodedata

from agent_marketplace.accounts.errors import InvalidEmail

MAX_LENGTH = 254  # RFC 5321, 4.5.3.1.3: a path of 256 octets less its angle brackets
_ADDRESS = re.compile(
    r"[^@\s\"(),:;<>\[\\\]]{1,64}@[^@\s.\"(),:;<>\[\\\]]{1,63}(?:\.[^@\s.\"(),:;<>\[\\\]]{1,63})*"
)


def normalise_email(text: str) -> str:
    """NFKC, lower case, no blanks around. Raises InvalidEmail."""
    if not isinstance(text, str) or len(text) > 4 * MAX_LENGTH:
        raise InvalidEmail("Invalid email address")
    address = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.strip()).casefold())
    if len(address) > MAX_LENGTH or any(unicodedata.category(c)[0] == "C" for c in address):
        raise InvalidEmail("Invalid email address")
    if len(address.encode()) > MAX_LENGTH or not _ADDRESS.fullmatch(address):
        raise InvalidEmail("Invalid email address")
    return address
