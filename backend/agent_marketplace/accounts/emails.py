"""E-mail addresses: one normal form per mailbox, so that no two accounts share an address that looks the same."""

import ipaddress
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


def mailbox(email: str) -> str:
    """What several spellings of a normal address most likely end in: without `+tag`, and without dots before the @."""
    local, _, domain = email.rpartition("@")
    bare = local.partition("+")[0].replace(".", "")
    return f"{bare or local}@{domain}"


def network(address: str) -> str:
    """What one subscriber has of the internet: an IPv4 address, or 64 bits of an IPv6 one; other names as they are."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped is not None else str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
