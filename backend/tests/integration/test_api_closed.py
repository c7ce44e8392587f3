"""What is given away to whoever asks: sign-up credit, the operator's figures, and what a browser or a feed reader makes of a reply."""

from collections.abc import Iterator

import httpx
import pytest

from agent_marketplace.accounts.emails import mailbox, network
from tests.fakes.server import MARKET, PASSWORD, Server, running

TOKEN = "a-token-for-the-scraper-0123456789"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, database_kind: str) -> Iterator[Server]:
    with running(
        tmp_path_factory.mktemp("home"),
        FORWARDED_ALLOW_IPS="127.0.0.1",
        MARKETPLACE_SIGNUP_CREDITS_PER_ADDRESS="2",
        MARKETPLACE_METRICS_TOKEN=TOKEN,
        MARKETPLACE_SITE="https://models.example.com",
    ) as found:
        yield found


def ask(
    server: Server, method: str, path: str, headers: dict[str, str] | None = None, **more: object
) -> httpx.Response:
    return httpx.request(method, f"http://127.0.0.1:{server.port}{path}", headers=headers, timeout=30, **more)  # type: ignore[arg-type]


def sign_up(server: Server, email: str, address: str) -> tuple[float, str | None]:
    body = {"email": email, "password": PASSWORD}
    made = ask(server, "POST", f"{MARKET}/auth/signup", {"x-forwarded-for": address}, json=body)
    assert made.status_code == 200, made.text
    return made.json()["balance"], made.json().get("notice")


@pytest.mark.parametrize(
    "addresses",
    [("198.51.100.1",) * 3, ("2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:ffff::3")],
    ids=["IPv4", "one /64 of IPv6"],
)
def test_the_third_account_of_an_address_gets_words_and_no_credit(
    server: Server, addresses: tuple[str, ...]
) -> None:
    tag = "four" if "." in addresses[0] else "six"
    given = [sign_up(server, f"{tag}{n}@example.com", address) for n, address in enumerate(addresses)]
    assert given[:2] == [(5, None)] * 2
    balance, notice = given[2]
    assert balance == 0
    assert "No sign-up credit" in str(notice)
    assert sign_up(server, f"{tag}-elsewhere@example.com", f"203.0.113.{len(tag)}") == (5, None)


def test_one_mailbox_under_many_names_gets_credit_once(server: Server) -> None:
    names = (
        "many.names@example.com",
        "many.names+1@example.com",
        "manynames+2@example.com",
        "m.any.names@example.com",
    )
    found = [sign_up(server, name, f"192.0.2.{n}")[0] for n, name in enumerate(names)]
    assert found == [5, 0, 0, 0]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost"}, 200),
        ({"host": "rebound.example.com"}, 401),
        ({"x-forwarded-for": "198.51.100.7"}, 401),
        ({"forwarded": "for=198.51.100.7"}, 401),
        ({"x-real-ip": "127.0.0.1"}, 401),
        ({"authorization": "Bearer guessed"}, 200),
        ({"authorization": "Bearer guessed", "host": "models.example.com"}, 401),
        (
            {
                "authorization": f"Bearer {TOKEN}",
                "host": "models.example.com",
                "x-forwarded-for": "198.51.100.7",
            },
            200,
        ),
    ],
)
def test_the_operators_figures_are_read_from_this_machine_or_with_the_token(
    server: Server, headers: dict[str, str], status: int
) -> None:
    answer = ask(server, "GET", "/metrics", headers)
    assert answer.status_code == status
    assert ("marketplace_open_holds" in answer.text) is (status == 200)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/docs",
        "/openapi.json",
        "/v1/models",
        "/v1/chat/completions",
        "/nowhere",
        "/metrics",
        f"{MARKET}/models",
    ],
)
def test_every_reply_is_what_it_says_and_no_page_is_framed_by_others(server: Server, path: str) -> None:
    answer = ask(server, "POST" if "completions" in path else "GET", path)
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    if answer.headers["content-type"].startswith("text/html"):
        assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
        assert "default-src" in answer.headers["content-security-policy"]


def test_a_feed_names_the_configured_site_whoever_asked(server: Server) -> None:
    answer = ask(server, "GET", f"{MARKET}/models/feed.rss", {"host": "evil.example"})
    assert "evil.example" not in answer.text
    assert "<link>https://models.example.com/</link>" in answer.text
    assert "max-age" in answer.headers["cache-control"]


def test_a_password_changed_after_a_theft_takes_the_keys_with_it_if_asked_to(server: Server) -> None:
    for revoke, left in ((False, 1), (True, 0)):
        ada = server.person()
        key = ada.post(f"{MARKET}/keys", {"name": "stolen"}).json["key"]
        change = {"current_password": PASSWORD, "new_password": PASSWORD + " 2", "revoke_keys": revoke}
        ada = server.as_(ada.post(f"{MARKET}/auth/password", change).json["token"])
        assert len(ada.get(f"{MARKET}/keys").json["keys"]) == left
        assert server.as_(key).get(f"{MARKET}/profile").status == (200 if left else 401)


def test_addresses_are_counted_by_subscriber_and_spellings_by_mailbox() -> None:
    assert network("2001:db8:1:2:3::4") == network("2001:db8:1:2::") != network("2001:db8:1:3::")
    assert network("::ffff:198.51.100.7") == "198.51.100.7"
    assert network("fe80::1%eth0") == "fe80::/64"
    assert network("unix") == "unix"
    assert mailbox("a.b+c@example.com") == "ab@example.com"
    assert mailbox("+c@example.com") == "+c@example.com"
