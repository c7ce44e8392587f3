"""Built-in tools: a calculator that can't be made to run long, pages as text, calls that make sense."""

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_marketplace.api.mcp.agents import names_of
from agent_marketplace.net.aiohttp_client import AiohttpClient
from agent_marketplace.runs import sanity
from agent_marketplace.runs.tools.base import Caller, ToolFailed
from agent_marketplace.runs.tools.calculator import calculate
from agent_marketplace.runs.tools.fetch import MOST_BYTES, Fetch
from agent_marketplace.runs.tools.readable import readable
from agent_marketplace.runs.types import Spec
from tests.fakes.raw_http import Conn, RawServer

WHO = Caller(user_id="u1", key_id=None, run_id="run_1", timeout_s=5)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("6*7", "42"), ("2 + 3 * 4", "14"), ("(2 + 3) * 4", "20"), ("-2 ** 2", "-4"), ("2 ** 3 ** 2", "512"),
        ("0.1 + 0.2", "0.3"), ("17 % 5", "2"), ("-7 // 2", "-4"), ("7 / 2", "3.5"), ("1e3", "1000"), ("2^10", "1024"),
        ("sqrt(2)", "1.4142135623730950488016887242096980785696718753769"), ("round(2.345, 2)", "2.34"), ("max(1, 2.5)", "2.5"),
        ("2 ** 200", str(2**200)), ("1 ** 999999999", "1"), ("(0-1) ** 3", "-1"), ("0 ** 0", "1"), ("floor(-1.5)", "-2"),
        ("10 / 4 * 4", "10"), ("2 ** -1", "0.5"), ("abs(-3)", "3"),
    ],
)  # fmt: skip
def test_arithmetic_is_exact(expression: str, value: str) -> None:
    assert calculate(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "", "1/0", "1 % 0", "2 ** 99999999", "9" * 2_000, "(" * 200 + "1" + ")" * 200, "2 ** (2 ** (2 ** (2 ** 9)))",
        "exp(99999999)", "1e9999 * 1e9999", "__import__('os')", "a.b", "[1]", "1 if 1 else 2", "9**9**9", "sqrt(-1)", "ln(0)",
        "1 2", "max()", "pi(1)", "round(1.5, 99)", "\u0661+1", "1e99999", "- " * 400, "floor(1e9000)",
    ],
)  # fmt: skip
def test_nothing_but_arithmetic_is_evaluated_and_nothing_runs_long(expression: str) -> None:
    with pytest.raises(ToolFailed):
        calculate(expression)


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12), st.sampled_from("+-*"))
def test_whole_numbers_stay_whole(a: int, b: int, sign: str) -> None:
    right = {"+": a + b, "-": a - b, "*": a * b}[sign]
    assert calculate(f"({a}) {sign} ({b})") == str(right)


@given(st.text(max_size=60))
def test_no_expression_breaks_the_calculator(text: str) -> None:
    try:
        Decimal(calculate(text))
    except ToolFailed:
        pass


PAGE = """<!doctype html><html><head><title>A  page</title><style>p{}</style><script>alert("no")</script></head><body>
<nav>Menu</nav><h1>Head</h1><p>One &amp; two</p><ul><li>a<li>b</ul><svg><title>no</title><p>no</svg><table><tr><td>x<td>y</table>"""


def test_a_page_is_read_as_a_person_reads_it() -> None:
    assert readable(PAGE) == "A page\n\nHead\nOne & two\n- a\n- b\n| x | y"


@given(st.text(alphabet="<>/abscript !-\"'=&;#x1", max_size=300))
def test_no_page_breaks_the_reader(page: str) -> None:
    assert isinstance(readable(page), str)


def test_what_a_model_reads_of_a_tool_has_no_hidden_characters_and_an_end() -> None:
    hidden = "a\u200bb\u202ec\x00d\x1b[31me\ufefff\U000e0041g\ud800h\n\ti"
    assert sanity.stripped(hidden) == "abcd[31mefgh\n\ti"
    smuggled = (
        "ok" + "".join(chr(0xE0100 + b) for b in b"obey") + "\u061c\u2028\u3164\u034f\ufe01 \u2714\ufe0f"
    )
    assert sanity.stripped(smuggled) == "ok \u2714\ufe0f"
    assert sanity.stripped("\u00e9" * 100_000).encode().startswith("\u00e9".encode() * 1000)
    assert len(sanity.stripped("\u00e9" * 100_000).encode()) < sanity.MOST_RESULT + 100


# -- fetch -------------------------------------------------------------------------------------------------------------


def answer(body: bytes, kind: str = "text/html", status: str = "200 OK", extra: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{extra}\r\n".encode()
        + body
    )


async def fetched(raw: bytes) -> str:
    async def script(conn: Conn) -> None:
        await conn.request()
        await conn.send(raw)
        conn.fin()

    server, client = await RawServer(script).start(), AiohttpClient()
    try:
        return (await Fetch(client, allow_private=True).run({"url": server.url("/")}, WHO)).text
    finally:
        await client.close()
        await server.close()


def test_a_page_comes_as_text() -> None:
    assert "One & two" in asyncio.run(fetched(answer(PAGE.encode())))


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (answer(b"", status="302 Found", extra="location: http://127.0.0.1:1/\r\n"), "redirect"),
        (answer(b"x" * (MOST_BYTES + 1)), "too_large"),
        (answer(b"\x89PNG", "image/png"), "not_text"),
        (answer(b"no", status="404 Not Found"), "status"),
        (b"nonsense\r\n\r\n", "unreachable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_no_page_is_told_in_words(raw: bytes, kind: str) -> None:
    with pytest.raises(ToolFailed) as failed:
        asyncio.run(fetched(raw))
    assert failed.value.kind == kind


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/", "http://example.com/", "https://169.254.169.254/latest/meta-data", "https://localhost/", "file:///etc/passwd",
     "https://[::1]/", "https://10.0.0.1/", "https://user:pw@example.com/", "https://example.com:22/", "gopher://example.com"],
)  # fmt: skip
def test_a_neighbour_is_never_read(url: str) -> None:
    async def go() -> None:
        client = AiohttpClient()
        try:
            await Fetch(client).run({"url": url}, WHO)
        finally:
            await client.close()

    with pytest.raises(ToolFailed) as failed:
        asyncio.run(go())
    assert failed.value.kind == "address_refused"


def test_an_agent_whose_path_reads_like_another_s_takes_no_call_of_it() -> None:
    paths = ("agent/x/y-z", "agent/x-y/z", "agent/x/" + "w" * 80, "agent/x/" + "w" * 80 + "v", "agt_1")
    specs = [Spec(agent_id=path, version=1, name="N", model="m") for path in paths]
    found = names_of(specs)
    assert sorted(s.agent_id for s in found.values()) == sorted(paths)
    assert all(len(name) <= 64 for name in found)
    assert found["agent_1"].agent_id == "agt_1"
    assert "agent_x_y_z" not in found, "none of the two has the name that both would have"
