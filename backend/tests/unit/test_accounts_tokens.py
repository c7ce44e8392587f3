"""Session tokens: what must be refused, whoever forged it."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest

from agent_marketplace.accounts.errors import InvalidToken
from agent_marketplace.accounts.sessions import AUDIENCE, ISSUER, SessionTokens
from agent_marketplace.clock import ManualClock

SECRET = b"0123456789abcdef0123456789abcdef-and-more"


def b64(data: Any) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def forge(header: Any, claims: Any, secret: bytes = SECRET, digest: Any = hashlib.sha256) -> str:
    signed = f"{b64(header)}.{b64(claims)}"
    return f"{signed}.{b64(hmac.new(secret, signed.encode(), digest).digest())}"


def genuine(clock: ManualClock) -> dict[str, Any]:
    now = clock.now_ms() // 1000
    return {
        "user_id": "u1",
        "email": "a@b.c",
        "sid": "ses_1",
        "typ": "session",
        "iss": ISSUER,
        "aud": AUDIENCE,
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
    }


HEADER = {"alg": "HS256", "typ": "JWT"}


def test_an_issued_token_is_read_back_for_seven_days_and_no_longer() -> None:
    clock = ManualClock()
    tokens = SessionTokens(SECRET, clock)
    token = tokens.issue("ses_1", "u1", "a@b.c")
    clock.advance(7 * 86_400 - 1)
    assert tokens.read(token).session_id == "ses_1"
    clock.advance(2)
    with pytest.raises(InvalidToken, match="Invalid or expired token"):
        tokens.read(token)
    # The forger below makes a good token of good claims, so that each forgery fails for its own reason.
    assert tokens.read(forge(HEADER, genuine(clock))).user_id == "u1"


def forgeries(clock: ManualClock) -> dict[str, str]:
    """About 300 tokens that must all be refused."""
    good, now = genuine(clock), clock.now_ms() // 1000
    real = forge(HEADER, good)
    out = {
        "empty": "",
        "dots": "..",
        "one part": "abc",
        "no signature": real.rpartition(".")[0] + ".",
        "spaces": f" {real} .",
        "nul": real + "\x00",
    }
    for alg in (
        "none",
        "None",
        "NONE",
        "nOnE",
        "",
        None,
        1,
        "HS384",
        "HS512",
        "RS256",
        "ES256",
        "PS256",
        "EdDSA",
        "hs256",
        ["HS256"],
    ):
        header = {"alg": alg, "typ": "JWT"}
        out[f"alg {alg} unsigned"] = f"{b64(header)}.{b64(good)}."
        out[f"alg {alg} signed 256"] = forge(header, good)
        out[f"alg {alg} signed 512"] = forge(header, good, digest=hashlib.sha512)
    public = b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"
    for secret in (
        b"",
        b"\x00",
        b"secret",
        b"null",
        b"undefined",
        SECRET[:-1],
        SECRET + b"\n",
        SECRET[::-1],
        public,
        b"x" * 64,
    ):
        out[f"secret {secret[:8]!r}"] = forge(HEADER, good, secret)
        out[f"jwk header {secret[:8]!r}"] = forge(
            HEADER | {"jwk": {"kty": "oct", "k": b64(secret or b"x")}}, good, secret
        )
        for kid in ("../../../../dev/null", "/dev/null", "' OR 1=1 --", "", 0):
            out[f"kid {kid} {secret[:8]!r}"] = forge(
                HEADER | {"kid": kid, "jku": "http://127.0.0.1/jwks", "x5u": "file:///"}, good, secret
            )
    return out | claim_forgeries(good, now) | other_forgeries(good, real, now)


def claim_forgeries(good: dict[str, Any], now: int) -> dict[str, str]:
    out: dict[str, str] = {}
    impossible: list[Any] = [None, [], {}, True, "", "x", 0, -1, 10**30, 1e300]
    for claim in good:
        out[f"without {claim}"] = forge(HEADER, {k: v for k, v in good.items() if k != claim})
        for value in impossible:
            if value != good[claim] and not (
                claim == "email" or (claim in ("user_id", "sid") and isinstance(value, str))
            ):
                if claim in ("iat", "nbf") and type(value) is int and now - 7 * 86_400 < value <= now:
                    continue
                if claim == "nbf" and type(value) is int and value <= 0:
                    continue  # valid since long ago
                out[f"{claim} = {value!r}"] = forge(HEADER, good | {claim: value})
    return out


def other_forgeries(good: dict[str, Any], real: str, now: int) -> dict[str, str]:
    out = {
        "expired": forge(HEADER, good | {"exp": now}),
        "not yet": forge(HEADER, good | {"nbf": now + 3600}),
        "issued in the future": forge(HEADER, good | {"iat": now + 3600}),
        "lives too long": forge(HEADER, good | {"exp": now + 8 * 86_400}),
        "refresh token": forge(HEADER, good | {"typ": "refresh"}),
        "other audience": forge(HEADER, good | {"aud": "another-service"}),
        "other issuer": forge(HEADER, good | {"iss": "https://evil.example"}),
        "claims are a list": forge(HEADER, [good]),
        "claims are text": forge(HEADER, "user_id=u1"),
        "claims are not json": forge(HEADER, b"\xff\xfe{"),
        "critical header": forge(HEADER | {"crit": ["exp"], "exp": 1}, good),
        "header is a list": forge([HEADER], good),
        "deep header": f"{b64(b'[' * 2900)}.{b64(good)}.{'A' * 43}",
        "deep claims": forge(HEADER, b"[" * 2900),
        "changed claims": f"{b64(HEADER)}.{b64(good | {'user_id': 'admin'})}.{real.rpartition('.')[2]}",
        "not ascii": real.replace("e", "е"),
        "huge": "A" * 1_000_000,
        "jwe form": ".".join(["AAAA"] * 5),
        "surrogate": real[:-1] + "\ud800",
    }
    for i in range(0, len(real), 4):
        if real[i] != ".":
            out[f"character {i} changed"] = real[:i] + ("A" if real[i] != "A" else "B") + real[i + 1 :]
        out[f"cut at {i}"] = real[:i]
    return out


def test_no_forged_token_of_the_corpus_is_accepted() -> None:
    clock = ManualClock()
    tokens = SessionTokens(SECRET, clock)
    corpus = forgeries(clock)
    assert len(corpus) >= 300
    accepted = []
    for name, token in corpus.items():
        try:
            tokens.read(token)
        except InvalidToken:
            continue
        accepted.append(name)
    assert accepted == []


def test_our_tokens_have_the_claims_that_other_programs_may_rely_on() -> None:
    claims = jwt.decode(
        SessionTokens(SECRET, ManualClock()).issue("s", "u", "a@b.c"), options={"verify_signature": False}
    )
    assert claims["exp"] - claims["iat"] == 7 * 86_400
    assert (claims["user_id"], claims["email"], claims["sid"], claims["typ"]) == (
        "u",
        "a@b.c",
        "s",
        "session",
    )
