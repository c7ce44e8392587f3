"""S10 at the provider's end: a provider that repeats the credential it was sent does not hand it to our callers."""

import base64
from urllib.parse import quote

import pytest

from agent_marketplace.vault import Secret
from tests.fakes.rig import OPERATORS_KEY, Answer, Rig, on_rig
from tests.fakes.shapes import Wire, error_frame
from tests.fakes.upstream import Behaviour

pytestmark = pytest.mark.both_databases

OWN = "Zq7pLm2vXc9RtY4wKd8sHn3jGb6fVa1e"  # a caller's own key, without a prefix that a pattern would know
FORMS = {
    "whole": lambda key: key,
    "a part": lambda key: key[4:20],
    "url-encoded": lambda key: "".join(f"%{ord(c):02x}" for c in quote(key)),
    "base64": lambda key: base64.b64encode(f"user:{key}".encode()).decode(),
    "hex": lambda key: key.encode().hex(),
}
WIRES: dict[str, Wire] = {"openai": "openai", "anthropic": "anthropic", "google": "gemini"}
MODELS = {"openai": "gpt-4o-mini", "anthropic": "claude-haiku-4-5", "google": "gemini-2.5-flash"}
BODIES = {
    "/v1/chat/completions": lambda model: {"model": model, "messages": [{"role": "user", "content": "Hi"}]},
    "/v1/messages": lambda model: {
        "model": model,
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "Hi"}],
    },
    "/api/v1/agents/completion": lambda model: {"model": model, "prompt": "Hi", "fallback": False},
}


def shows(answer: Answer, key: str) -> list[str]:
    """The forms of a key that are in what the client got."""
    seen = answer.body.decode().casefold() + str(answer.headers).casefold()
    return [name for name, form in FORMS.items() if form(key).casefold() in seen]


@pytest.mark.parametrize("provider", MODELS)
@pytest.mark.parametrize("own", [False, True], ids=["operator's key", "own key"])
def test_an_error_that_repeats_the_key_arrives_without_it(tmp_path, provider, own) -> None:
    key = OWN if own else OPERATORS_KEY
    words = "you sent " + " and ".join(form(key) for form in FORMS.values())
    faults = [
        *(Behaviour(status=status, words=words) for status in (400, 429, 500)),
        Behaviour(frames=(error_frame(WIRES[provider], words),)),
        Behaviour(error_after=2, words=words, text="one two three four"),
    ]
    nobody = [] if provider == "openai" else [(provider, faults)]
    first = faults if provider == "openai" else [Behaviour()]

    @on_rig(*first, others=dict(nobody))
    async def test(rig: Rig) -> None:
        if own:
            await rig.market.vault.put(rig.user_id, provider, Secret(OWN))
        fake = rig.at[provider]
        for path, body in BODIES.items():
            for fault in faults:
                fake.script = [fault]
                before, stream = len(fake.requests), fault.status == 200
                answer = await rig.call(
                    path, body(MODELS[provider]) | {"stream": stream, "byok": "only" if own else "never"}
                )
                assert shows(answer, key) == [], (path, fault.status, fault.error_after)
                assert answer.status >= 400 or '"error"' in answer.body.decode(), answer.body
                assert len(fake.requests) > before
        assert all(key in str(seen.headers) for seen in fake.requests)

    test(tmp_path)
