"""The forms of address that got past other gateways' filters, and the many ways to write them."""

import asyncio
import ipaddress
import json
import threading
from pathlib import Path

import pytest

from agent_marketplace.net import errors, ssrf
from agent_marketplace.net.ssrf import Resolver, Target, is_public, parse_url, vet

FORMS: dict[str, list[str]] = json.loads((Path(__file__).parents[1] / "golden/ssrf_forms.json").read_text())
NOT_PUBLIC, PUBLIC, HOSTS, URLS = (
    FORMS[kind] for kind in ("not_public", "public", "hosts_refused", "urls_refused")
)


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len({*NOT_PUBLIC, *PUBLIC, *HOSTS, *URLS}) >= 250


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_no_form_of_a_special_address_counts_as_public(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))
    host = f"[{text}]" if ":" in text else text
    with pytest.raises(errors.AddressRefused):
        parse_url(f"https://{host}/", allow_private=False)


@pytest.mark.parametrize("text", PUBLIC)
def test_ordinary_addresses_count_as_public(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))
    vet(ipaddress.ip_address(text), allow_private=False)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("allow_private", [True, False])
def test_hosts_that_parsers_disagree_about_are_refused(host: str, *, allow_private: bool) -> None:
    with pytest.raises(errors.InvalidRequest):
        parse_url(f"https://{host}/v1", allow_private=allow_private)


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("allow_private", [True, False])
def test_urls_that_parsers_disagree_about_are_refused(url: str, *, allow_private: bool) -> None:
    with pytest.raises(errors.InvalidRequest):
        parse_url(url, allow_private=allow_private)


@pytest.mark.parametrize(
    "url",
    ["http://api.example.com/", "https://localhost/", "https://a.localhost/", "https://ollama/", "https://x.internal/",
     "https://metadata.google.internal/", "https://nas.local/", "https://router.lan/", "https://x.home.arpa/",
     "https://api.example.com:22/", "https://api.example.com:80/", "https://api.example.com:1023/", "https://LOCALHOST/"],
)  # fmt: skip
def test_what_only_the_operator_may_set(url: str) -> None:
    with pytest.raises(errors.AddressRefused):
        parse_url(url, allow_private=False)
    parse_url(url, allow_private=True)


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("https://API.Example.com", Target("https", "api.example.com", 443, "/"), "api.example.com"),
        ("HTTPS://a.test:443/v1?x=1", Target("https", "a.test", 443, "/v1?x=1"), "a.test"),
        ("https://a.test:8443?x", Target("https", "a.test", 8443, "/?x"), "a.test:8443"),
        (
            "http://127.0.0.1:11434/api/chat",
            Target("http", "127.0.0.1", 11434, "/api/chat"),
            "127.0.0.1:11434",
        ),
        ("http://[0:0::1]:80/", Target("http", "::1", 80, "/"), "[::1]"),
        (
            "https://xn--bcher-kva.test/%C3%A9",
            Target("https", "xn--bcher-kva.test", 443, "/%C3%A9"),
            "xn--bcher-kva.test",
        ),
        (
            "https://a_b.test/v1beta/models/m:go",
            Target("https", "a_b.test", 443, "/v1beta/models/m:go"),
            "a_b.test",
        ),
        ("https://4.chan.test/", Target("https", "4.chan.test", 443, "/"), "4.chan.test"),
    ],
)
def test_plain_urls_are_read_the_one_way(url: str, target: Target, authority: str) -> None:
    assert parse_url(url, allow_private=True) == target
    assert target.authority == authority


@pytest.mark.parametrize(
    "text",
    ["169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "0.0.0.0", "::", "224.0.0.1", "ff02::1"],
)
def test_not_even_the_operator_reaches_metadata_or_no_address(text: str) -> None:
    with pytest.raises(errors.AddressRefused):
        vet(ipaddress.ip_address(text), allow_private=True)


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "10.1.2.3", "192.168.1.5", "::1", "fd12::1", "8.8.8.8", "100.64.1.1"]
)
def test_the_operator_reaches_private_addresses(text: str) -> None:
    vet(ipaddress.ip_address(text), allow_private=True)


# --- names ---------------------------------------------------------------------------------------------------------

API = Target("https", "api.example.com", 443, "/")


def resolve(*answers: list[str], allow_private: bool = False, ttl_s: float = 30.0) -> list[tuple[str, ...]]:
    """Resolves once per answer, which the name server gives in that order."""
    left = list(answers)

    async def go() -> list[tuple[str, ...]]:
        resolver = Resolver(lambda _: left.pop(0), ttl_s=ttl_s)
        try:
            return [await resolver.resolve(API, allow_private=allow_private, timeout_s=5) for _ in answers]
        finally:
            resolver.close()

    return asyncio.run(go())


def test_public_answers_come_in_the_resolvers_order() -> None:
    assert resolve(["2606:4700::1", "8.8.8.8"]) == [("2606:4700::1", "8.8.8.8")]


@pytest.mark.parametrize("bad", [*NOT_PUBLIC, "fe80::1%eth0", "8.8.8.8%x", "nonsense", ""])
def test_one_bad_address_among_good_ones_refuses_the_name(bad: str) -> None:
    with pytest.raises(errors.AddressRefused):
        resolve(["8.8.8.8", bad])
    with pytest.raises(errors.AddressRefused):
        resolve([bad, "8.8.8.8"])


def test_no_address_at_all_is_refused() -> None:
    with pytest.raises(errors.AddressRefused):
        resolve([])


def test_a_mapped_address_is_connected_to_as_the_ipv4_address_that_was_vetted() -> None:
    assert resolve(["::ffff:8.8.8.8"]) == [("8.8.8.8",)]


def test_a_name_that_is_rebound_is_vetted_again() -> None:
    with pytest.raises(errors.AddressRefused):
        resolve(["8.8.8.8"], ["127.0.0.1"], ttl_s=0.0)


def test_a_verdict_is_kept_for_its_time_and_apart_for_the_operator() -> None:
    asked: list[str] = []

    def lookup(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    async def go() -> None:
        resolver = Resolver(lookup)
        for _ in range(3):
            assert await resolver.resolve(API, allow_private=True, timeout_s=5) == ("127.0.0.1",)
        assert len(asked) == 1
        with pytest.raises(errors.AddressRefused):
            await resolver.resolve(API, allow_private=False, timeout_s=5)
        resolver.close()

    asyncio.run(go())


def test_many_callers_ask_for_a_name_once_and_the_event_loop_goes_on() -> None:
    answer = threading.Event()
    asked: list[str] = []

    def lookup(host: str) -> list[str]:
        asked.append(host)
        assert answer.wait(10)
        return ["8.8.8.8"]

    async def go() -> None:
        resolver = Resolver(lookup)
        calls = [
            asyncio.create_task(resolver.resolve(API, allow_private=False, timeout_s=10)) for _ in range(20)
        ]
        await asyncio.sleep(0)
        calls[0].cancel()
        answer.set()
        assert {await call for call in calls[1:]} == {("8.8.8.8",)}
        assert len(asked) == 1
        resolver.close()

    asyncio.run(go())


def test_a_slow_name_server_is_not_waited_for_beyond_the_deadline() -> None:
    answer = threading.Event()

    async def go() -> None:
        resolver = Resolver(lambda _: ["8.8.8.8"] if answer.wait(10) else [])
        with pytest.raises(errors.ConnectFailed):
            await resolver.resolve(API, allow_private=False, timeout_s=0.05)
        answer.set()
        resolver.close()

    asyncio.run(go())


def test_closing_while_a_look_up_waits_for_its_turn_reports_nothing() -> None:
    answer = threading.Event()
    reported: list[dict[str, object]] = []

    async def go() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        resolver = Resolver(lambda _: ["8.8.8.8"] if answer.wait(10) else [], threads=1)
        hosts = [Target("https", f"h{i}.example.com", 443, "/") for i in range(2)]
        first, second = (
            asyncio.create_task(resolver.resolve(host, allow_private=False, timeout_s=5)) for host in hosts
        )
        await asyncio.sleep(0)
        resolver.close()
        with pytest.raises(asyncio.CancelledError):
            await second
        answer.set()
        assert await first == ("8.8.8.8",)

    asyncio.run(go())
    assert reported == []


@pytest.mark.parametrize(
    ("error", "expected"), [(OSError("x"), errors.ConnectFailed), (UnicodeError("x"), errors.InvalidRequest)]
)
def test_a_failed_look_up_is_typed_and_not_remembered(error: Exception, expected: type[Exception]) -> None:
    answers: list[object] = [error, ["8.8.8.8"]]

    def lookup(_: str) -> list[str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, list)
        return answer

    async def go() -> None:
        resolver = Resolver(lookup)
        with pytest.raises(expected):
            await resolver.resolve(API, allow_private=False, timeout_s=5)
        assert await resolver.resolve(API, allow_private=False, timeout_s=5) == ("8.8.8.8",)
        resolver.close()

    asyncio.run(go())


def test_the_number_of_names_kept_is_bounded() -> None:
    async def go() -> None:
        resolver = Resolver(lambda _: ["8.8.8.8"], max_names=3)
        for i in range(10):
            await resolver.resolve(
                Target("https", f"h{i}.example.com", 443, "/"), allow_private=False, timeout_s=5
            )
        assert len(resolver._vetted) == 3
        resolver.close()

    asyncio.run(go())


def test_the_machines_own_resolver_is_asked_for_real_names() -> None:
    async def go() -> None:
        resolver = Resolver()
        target = Target("http", "localhost", 80, "/")
        assert set(await resolver.resolve(target, allow_private=True, timeout_s=5)) <= {"127.0.0.1", "::1"}
        resolver.close()

    asyncio.run(go())


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x.png", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://017700000001/",
        "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[fd00:ec2::254]/", "http://169.254.169.254/latest/",
        "http://10.0.0.1:8080/x", "http://localhost/", "https://LOCALHOST./", "http://db.internal/", "http://printer.local",
        "http://vllm/x", "http://127.0.0.1.nip.io/", "http://localtest.me/", "http://metadata.google.internal/",
        "http://example.com\\@127.0.0.1/", "http://a@127.0.0.1/", "http://example.com@127.0.0.1/", "http://\u24dbocalhost/",
        "http://127\u30020\u30020\u30021/", "file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "//example.com/",
        "http:///x", "", "http://exa mple.com/", "http://[::1/", "HTTP://127.0.0.1?x", "http://127.0.0.1#example.com",
    ],
)  # fmt: skip
def test_an_address_that_leads_inside_is_seen_in_every_spelling(url: str) -> None:
    assert ssrf.leads_inside(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.png", "http://example.com", "http://example.com:8080/a?b=c#d", "https://EXAMPLE.com/\u00e4.png",
        "https://1.1.1.1/x", "https://example.com/@me/127.0.0.1", "data:image/png;base64,AAAA",
        "https://www.youtube.com/watch?v=x",
    ],
)  # fmt: skip
def test_an_ordinary_address_outside_is_taken(url: str) -> None:
    assert not ssrf.leads_inside(url)
