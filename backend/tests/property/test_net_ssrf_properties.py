"""Whatever the URL, and whatever other parsers make of it: what is accepted leads to a public address, and only there."""

import ipaddress
from urllib.parse import urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_marketplace.net.errors import NetError
from agent_marketplace.net.ssrf import embedded_ipv4, is_public, literal_address, parse_url
from tests.fakes.examples import examples

_PARTS = st.sampled_from(
    ["https://", "http://", "//", "/", "\\", "@", ":", "#", "?", "%2e", "%00", "[", "]", ".", "127.0.0.1", "::1", "::ffff:", "0x7f",
     "0177", "2130706433", "169.254.169.254", "localhost", "example.com", "user", "443", "8443", "0", "é", "。", "\t", " ", "\n", "-", "_"]
)  # fmt: skip
_URLS = st.one_of(
    st.text(max_size=40),
    st.lists(_PARTS, max_size=10).map("".join),
    st.lists(_PARTS, max_size=8).map(lambda p: "https://" + "".join(p)),
)


@settings(max_examples=examples(2000))
@given(_URLS, st.booleans())
def test_any_text_is_parsed_or_refused_with_a_typed_error(url: str, allow_private: bool) -> None:
    try:
        target = parse_url(url, allow_private=allow_private)
    except NetError:
        return
    other = urlsplit(url)
    assert (other.username, other.password, other.fragment) == (None, None, "")
    assert (other.hostname or "").lower() in (target.host, target.host.lower()) or literal_address(
        target.host
    ) is not None
    assert (other.port or (443 if target.tls else 80)) == target.port
    assert target.host.isascii()
    assert not any(c.isspace() or ord(c) < 33 for c in target.path)
    literal = literal_address(target.host)
    if not allow_private:
        assert target.tls
        assert literal is None or is_public(literal)


@settings(max_examples=examples(2000))
@given(st.ip_addresses())
def test_nothing_that_pythons_own_registry_calls_special_counts_as_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if is_public(address):
        inner = embedded_ipv4(address)
        assert inner.is_global
        kinds = (
            inner.is_private,
            inner.is_loopback,
            inner.is_link_local,
            inner.is_multicast,
            inner.is_reserved,
            inner.is_unspecified,
        )
        assert not any(kinds)


@settings(max_examples=examples(500))
@given(st.ip_addresses(v=4))
def test_wrapping_an_address_changes_nothing(address: ipaddress.IPv4Address) -> None:
    for wrapped in (f"::ffff:{address}", f"64:ff9b::{address}"):
        assert is_public(ipaddress.ip_address(wrapped)) == is_public(address)
    for refused in (f"::{address}", f"2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::1"):
        assert not is_public(ipaddress.ip_address(refused))


@settings(max_examples=examples(500))
@given(st.ip_addresses(v=4), st.integers(0, 5))
def test_an_ipv4_address_has_one_spelling(address: ipaddress.IPv4Address, form: int) -> None:
    number = int(address)
    a, b, c, d = address.packed
    spelling = [
        str(number),
        hex(number),
        f"0{number:o}",
        f"{a}.{b}.{c * 256 + d}",
        f"0x{a:x}.{b}.{c}.{d}",
        f"0{a:o}.{b}.{c}.{d}",
    ][form]
    try:
        assert parse_url(f"https://{spelling}/", allow_private=True).host == str(address)
    except NetError:
        assert spelling != str(address)
