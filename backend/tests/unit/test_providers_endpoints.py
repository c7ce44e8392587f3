"""Endpoints as data: the right address, the right key, nothing leaked."""

from pathlib import Path

import pytest

from agent_marketplace.providers.endpoints import Endpoint, EndpointTable, ollama_url, timeouts
from agent_marketplace.rules.book import Traits
from agent_marketplace.settings import SettingsError, load
from agent_marketplace.wires import codecs
from agent_marketplace.wires.base import Call, OutboundCall

CALL = OutboundCall(path="chat/completions", body=b"{}")


class Own:
    """A user's secret."""

    def reveal(self) -> str:
        return "sk-users-own"


def table(tmp_path: Path, **env: str) -> EndpointTable:
    return EndpointTable(load({"MARKETPLACE_DATA_DIR": str(tmp_path), **env}), env)


def endpoint(t: EndpointTable, name: str) -> Endpoint:
    found = t.get(name)
    assert found is not None
    return found


def test_an_operators_key_is_sent_in_the_style_of_its_provider_and_never_printed(tmp_path: Path) -> None:
    t = table(tmp_path, OPENAI_API_KEY="sk-op", ANTHROPIC_API_KEY="ak-op", GEMINI_API_KEY="gk-op")
    url, headers = endpoint(t, "openai").address(CALL, None)
    assert (url, headers["authorization"]) == ("https://api.openai.com/v1/chat/completions", "Bearer sk-op")
    url, headers = endpoint(t, "anthropic").address(OutboundCall(path="v1/messages", body=b""), None)
    assert (url, headers["x-api-key"], headers["anthropic-version"]) == (
        "https://api.anthropic.com/v1/messages",
        "ak-op",
        "2023-06-01",
    )
    assert endpoint(t, "google").address(CALL, None)[1]["x-goog-api-key"] == "gk-op"
    assert "sk-op" not in f"{endpoint(t, 'openai')!r} {endpoint(t, 'openai')}"


def test_a_users_own_key_replaces_the_operators_and_goes_to_the_operators_base_url_only(
    tmp_path: Path,
) -> None:
    t = table(tmp_path, OPENAI_API_KEY="sk-op", OPENAI_BASE_URL="http://10.0.0.5:9/v1/")
    url, headers = endpoint(t, "openai").address(CALL, Own())
    assert (url, headers["authorization"]) == ("http://10.0.0.5:9/v1/chat/completions", "Bearer sk-users-own")
    assert endpoint(t, "openai").allow_private
    assert not endpoint(t, "groq").allow_private


def test_only_providers_that_the_operator_can_pay_for_are_configured(tmp_path: Path) -> None:
    t = table(tmp_path, OPENAI_API_KEY="k", OLLAMA_HOST="box")
    assert [e.name for e in t.all() if e.configured] == ["local", "ollama", "openai"]
    assert not t.configured("nobody")
    assert t.get("nobody") is None
    assert "openai" in t.byok_providers()
    assert not {"local", "ollama", "vllm"} & set(t.byok_providers())
    assert table(tmp_path, MARKETPLACE_LOCAL_MODEL="off").get("local") is None


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("box", "http://box:11434"),
        ("box:99", "http://box:99"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("https://o.example.org", "https://o.example.org:443"),
        ("http://[::1]:7/", "http://[::1]:7"),
    ],
)
def test_ollama_host_is_read_as_ollamas_own_clients_read_it(host: str, url: str) -> None:
    assert ollama_url(host) == url


def test_an_operators_own_endpoint_needs_no_code(tmp_path: Path) -> None:
    (tmp_path / "providers.toml").write_text(
        '[[provider]]\nname = "mybox"\nbase_url = "http://10.1.1.1:8000/v1"\nkey_env = "MYBOX_KEY"\n'
        'models = [{id = "qwen", context = 32768, tools = true}]\n'
    )
    t = EndpointTable(load({"MARKETPLACE_DATA_DIR": str(tmp_path)}), {"MYBOX_KEY": "s3cret"})
    mine = endpoint(t, "mybox")
    assert (mine.configured, mine.allow_private, mine.models[0].context) == (True, True, 32768)
    assert mine.address(CALL, None)[1]["authorization"] == "Bearer s3cret"
    assert t.codec("mybox", codecs()).name == "openai"
    assert not EndpointTable(load({"MARKETPLACE_DATA_DIR": str(tmp_path)}), {}).configured("mybox")


@pytest.mark.parametrize(
    "text",
    ["[[provider]]\nname='x'", "[[provider]]\nname='x'\nbase_url='ftp://y'", "[[provider]]\nname='lo cal'\nbase_url='http://y'",
     "[[provider]]\nname='x'\nbase_url='http://y'\ncolour=1", "what", "[other]\na=1", "[[provider]]\nname='local'\nbase_url='http://y'"],
)  # fmt: skip
def test_a_mistake_in_providers_toml_stops_the_start_with_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "providers.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"providers\.toml"):
        table(tmp_path)


SLOW = """
[[provider]]
name = "Mine"
base_url = "http://10.0.0.5/v1"
first_byte_s = 7
first_content_s = 70
models = [{id = "usual"}, {id = "Slow.one", first_content_s = 700}]

[[rule]]
name = "pro"
providers = ["openai"]
models = "pro$"
first_byte_s = 8
"""


def test_waits_are_set_for_a_provider_a_model_and_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "providers.toml").write_text(SLOW)
    t = table(tmp_path)

    def waits(provider: str, model: str) -> tuple[float, float]:
        traits = t.rules(provider, model).of(Call(model=model, messages=()))
        return traits.first_byte_s, traits.first_content_s

    assert waits("mine", "usual") == (7, 70)
    assert waits("mine", "slow.one") == (7, 700)
    assert waits("mine", "slowXone") == (7, 70)
    assert waits("openai", "gpt-5-pro") == (8, 300)
    assert waits("openai", "gpt-4o-mini") == (60, 300)
    assert waits("ollama", "llama3.2") == (120, 300)


@pytest.mark.parametrize(
    ("field", "value"), [("first_byte_s", "0"), ("first_content_s", "-1"), ("first_content_s", "inf")]
)
@pytest.mark.parametrize("place", ["", "[[provider.models]]\nid = 'm'\n"])
def test_a_wait_that_is_none_stops_the_start_with_words(
    tmp_path: Path, place: str, field: str, value: str
) -> None:
    entry = "[[provider]]\nname = 'x'\nbase_url = 'http://y'\n"
    (tmp_path / "providers.toml").write_text(f"{entry}{place}{field} = {value}\n")
    with pytest.raises(
        SettingsError, match=rf"providers\.toml: rule .*{field} is seconds, above 0 and at most 3600"
    ):
        table(tmp_path)


WAITS = Traits()


@pytest.mark.parametrize(
    ("thinks", "max_tokens", "head_s"),
    [
        (False, None, 60),
        (False, 1500, 60),
        (False, 3000, 120),
        (False, 10**6, 300),
        (True, None, 300),
        (True, 9, 300),
    ],
)
def test_a_plain_answer_gets_the_time_that_it_takes_before_anyone_else_is_asked(
    thinks: bool, max_tokens: int | None, head_s: float
) -> None:
    plain = timeouts(WAITS, stream=False, thinks=thinks, max_tokens=max_tokens)
    assert (plain.first_byte_s, plain.idle_s, plain.opening_s) == (head_s, head_s, head_s)
    assert plain.total_s == head_s + 600


def test_a_stream_that_does_not_open_is_left_after_a_minute_and_may_then_think_for_five() -> None:
    for thinks in (False, True):
        stream = timeouts(WAITS, stream=True, thinks=thinks, max_tokens=10**6)
        assert (stream.first_byte_s, stream.first_content_s, stream.idle_s) == (60, 300, 60)
        assert (stream.opening_s, stream.total_s) == (360, 960)


def test_the_key_probe_asks_where_a_bad_key_is_refused(tmp_path: Path) -> None:
    t = table(tmp_path)
    probe = endpoint(t, "openrouter").key_probe(Own())
    assert probe is not None
    assert (probe.url, probe.headers["authorization"]) == (
        "https://openrouter.ai/api/v1/key",
        "Bearer sk-users-own",
    )
    hub = endpoint(t, "huggingface").key_probe(Own())
    assert hub is not None
    assert hub.url == "https://huggingface.co/api/whoami-v2"
    assert endpoint(t, "deepinfra").key_probe(Own()) is None
    own_base = endpoint(table(tmp_path, HF_BASE_URL="http://10.0.0.9/v1"), "huggingface").key_probe(Own())
    assert own_base is not None
    assert own_base.url == "http://10.0.0.9/v1/models"


def test_every_known_provider_states_what_an_abort_costs(tmp_path: Path) -> None:
    for e in table(tmp_path).all():
        assert e.abort_rule in ("stops", "continues", "unknown")
        assert e.base_url.startswith(("https://", "http://127.0.0.1"))
        assert e.url("x").endswith("/x")


def test_no_own_key_makes_a_keyless_server_of_the_operators_free(tmp_path: Path) -> None:
    base = {"OPENAI_BASE_URL": "http://10.0.0.9/v1"}
    keyless = table(tmp_path, **base)
    assert (endpoint(keyless, "openai").byok, "openai" in keyless.byok_providers()) == (False, False)
    assert keyless.keyless() == ("openai",)
    for opened in ({"OPENAI_API_KEY": "sk-op"}, {"MARKETPLACE_OWN_KEYS_AT_KEYLESS": "on"}):
        t = table(tmp_path, **base, **opened)
        assert (endpoint(t, "openai").byok, t.keyless()) == (True, ())
