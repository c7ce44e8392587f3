"""Sessions and credentials over the API: seen, ended, refused where they don't belong, kept by nobody on the way."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from agent_marketplace.gateway.pulse import Rhythm
from tests.fakes.rig import MODEL, Answer, Rig, completion, on_rig
from tests.fakes.upstream import Behaviour

pytestmark = pytest.mark.both_databases

M, A = "/api/v1/marketplace", "/api/v1/agents"
JSON = {"content-type": "application/json"}
EMAIL, PASSWORD = "rig@example.com", "correct horse, not the comic"


@dataclass
class Person:
    """The rig's user, signed in once more."""

    rig: Rig
    token: str

    async def ask(self, method: str, path: str, body: Any = None) -> Answer:
        return await self.rig.call(
            path, body, JSON | {"authorization": f"Bearer {self.token}"}, method=method
        )


async def signed_in(rig: Rig) -> Person:
    return Person(rig, await rig.market.accounts.auth.sign_in(EMAIL, PASSWORD))


@on_rig(Behaviour())
async def test_a_stolen_session_is_seen_and_ended_from_another_one(rig: Rig) -> None:
    mine, stolen = await signed_in(rig), await signed_in(rig)
    seen = (await mine.ask("GET", f"{M}/auth/sessions")).json["sessions"]
    assert [s["current"] for s in seen].count(True) == 1
    theirs = next(s["id"] for s in seen if not s["current"])
    assert (
        await mine.ask("DELETE", f"{M}/auth/sessions", {"password": "not my password", "id": theirs})
    ).status == 401
    assert (await stolen.ask("GET", f"{M}/profile")).status == 200
    ended = await mine.ask("DELETE", f"{M}/auth/sessions", {"password": PASSWORD, "id": theirs})
    assert ended.json["ended"] == 1
    assert (await stolen.ask("GET", f"{M}/profile")).status == 401
    again = await mine.ask("DELETE", f"{M}/auth/sessions", {"password": PASSWORD, "id": theirs})
    assert again.status == 404


@on_rig(Behaviour())
async def test_all_other_sessions_end_and_this_one_goes_on(rig: Rig) -> None:
    others = [await signed_in(rig) for _ in range(3)]
    mine = await signed_in(rig)
    assert (await mine.ask("DELETE", f"{M}/auth/sessions", {"password": PASSWORD})).json["ended"] == 3
    assert [(await o.ask("GET", f"{M}/profile")).status for o in others] == [401] * 3
    assert (await mine.ask("GET", f"{M}/profile")).status == 200
    assert await rig.market.accounts.auth.end_sessions(rig.user_id) == 1
    assert (await mine.ask("GET", f"{M}/profile")).status == 401


@on_rig(Behaviour())
async def test_nobody_ends_another_s_session(rig: Rig) -> None:
    auth = rig.market.accounts.auth
    other = await auth.create_user("other@example.com", PASSWORD)
    theirs = await auth.open_session(other)
    mine = await signed_in(rig)
    name = (await auth.sessions(other.user_id))[0].session_id
    assert (await mine.ask("DELETE", f"{M}/auth/sessions", {"password": PASSWORD, "id": name})).status == 404
    assert (await Person(rig, theirs).ask("GET", f"{M}/profile")).status == 200


@pytest.mark.parametrize("header", ["x-api-key", "x-goog-api-key"])
def test_a_session_sent_in_another_header_can_be_signed_out(tmp_path, header) -> None:
    @on_rig(Behaviour())
    async def test(rig: Rig) -> None:
        token = (await signed_in(rig)).token
        headers = {"authorization": "", header: token}
        assert (await rig.call(f"{M}/auth/signout", None, headers)).status == 200
        assert (await rig.call(f"{M}/profile", None, headers, method="GET")).status == 401

    test(tmp_path)


@on_rig(Behaviour())
async def test_replies_with_tokens_or_data_are_kept_by_nobody_on_the_way(rig: Rig) -> None:
    person = await signed_in(rig)
    sign_in = await rig.call(
        f"{M}/auth/signin", {"email": EMAIL, "password": PASSWORD}, JSON | {"authorization": ""}
    )
    for answer in (
        sign_in,
        await rig.call(
            f"{M}/auth/signin", {"email": EMAIL, "password": "wrong password"}, JSON | {"authorization": ""}
        ),
        await person.ask("GET", f"{M}/profile"),
        await person.ask("GET", f"{A}/conversations"),
        await rig.chat(),
        await rig.ask(),
    ):
        assert answer.headers["cache-control"] == "no-store", answer.body
    assert sign_in.headers["x-content-type-options"] == "nosniff"


@on_rig(Behaviour())
async def test_a_key_in_the_url_is_a_credential_on_gemini_s_wire_only(rig: Rig) -> None:
    nobody = {"authorization": ""}
    asked = {"contents": [{"parts": [{"text": "Hi"}]}]}
    path = f"/v1beta/models/{MODEL}:generateContent"
    assert (await rig.call(f"{path}?key={rig.key}", asked, nobody)).status == 200
    assert (await rig.call(f"{path}?key={rig.key}&key={rig.key}", asked, nobody)).status == 200
    assert (await rig.call(f"{path}?key={rig.key}&key=another", asked, nobody)).status == 401
    assert (await rig.call(f"{path}?key=another&key={rig.key}", asked, nobody)).status == 401
    assert (await rig.call(f"{path}?key=another", asked, {})).status == 401
    models = "/v1beta/models"
    assert (await rig.call(f"{models}?key={rig.key}", None, nobody, method="GET")).status == 200
    assert (await rig.call(f"{models}?key={rig.key}&key=another", None, nobody, method="GET")).status == 401
    for elsewhere, body in (
        ("/v1/chat/completions", completion()),
        ("/v1/messages", completion(max_tokens=5)),
        ("/api/chat", completion()),
        (f"{A}/completion", completion()),
    ):
        assert (await rig.call(f"{elsewhere}?key={rig.key}", body, nobody)).status == 401, elsewhere


@on_rig(Behaviour(stepped=True))
async def test_a_revoked_key_no_longer_listens_to_a_run_that_another_credential_began(rig: Rig) -> None:
    rig.market.router.parts.rhythm = Rhythm(check_s=0.05)
    run_id = "run_0123456789abcdef"
    body = {"model": MODEL, "message": "Hi", "stream": True, "resumable": True, "run_id": run_id}
    owner = await rig.open(f"{A}/chat", body)
    rig.up.release(2)
    await owner.until(1)
    key = await rig.market.accounts.keys.create(rig.user_id, "short-lived")
    listener = await rig.open(
        f"{A}/runs/{run_id}/events", None, {"authorization": f"Bearer {key.key}"}, method="GET"
    )
    await listener.until(1)
    await rig.market.accounts.keys.revoke(rig.user_id, key.info.key_id)
    async with asyncio.timeout(5):
        answer = await listener.rest()
    assert (answer.ending, answer.whole) == ("invalid_token", True)
    rig.up.release(20)
    assert (await owner.rest()).ending == "done"
