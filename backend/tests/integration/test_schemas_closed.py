"""S3 over every schema: nobody writes a field that was not offered, and no reply is made of what must stay inside."""

import dataclasses
import re
import typing
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

from agent_marketplace.accounts import store as accounts_store
from agent_marketplace.accounts import user as accounts_user
from agent_marketplace.api import (
    account_views,
    document,
    listing_views,
    present,
    replies,
    run_replies,
    run_views,
    schemas,
    usage_replies,
)
from agent_marketplace.json import decode
from agent_marketplace.vault import Secret
from agent_marketplace.vault import store as vault_store

WIRE = re.compile(r"^/(v1|v1beta|api)/(?!v1/)")
# Bodies of our own API that carry a provider's parameters through to it: they name their own fields, the codecs check the rest.
THROUGH = {
    "RunBody", "CompletionBody", "ChatBody",
    "post /api/v1/marketplace/comparisons", "post /api/v1/marketplace/comparisons/estimate",
}  # fmt: skip
# Files' bytes, JSON-RPC, whose parameters each method checks by a schema of its own, and OAuth, whose servers must ignore
# parameters that they do not know (RFC 6749, 3.2).
NO_FIELDS = {
    "post /api/v1/agents/documents", "post /api/v1/agents/import", "post /api/v1/marketplace/evaluations", "post /mcp",
    "post /a2a", "post /a2a/{publisher}/{slug}", "post /a2a/{publisher}/{slug}/message:send",
    "post /a2a/{publisher}/{slug}/message:stream",
    "post /api/v1/marketplace/auth/device/code", "post /api/v1/marketplace/auth/device/token",
}  # fmt: skip
INSIDE = re.compile(r"sealed|digest|hash|pepper|cipher|secret|password", re.IGNORECASE)
# Shown once, by the call that makes them.
ONCE = {"SignedUp.token", "SignedIn.token", "Token.token", "KeyCreated.key"}


def models(*modules: ModuleType) -> Iterator[type[BaseModel]]:
    for module in modules:
        for found in vars(module).values():
            if (
                isinstance(found, type)
                and issubclass(found, BaseModel)
                and found.__module__ == module.__name__
            ):
                yield found


def types_in(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in typing.get_args(annotation):
        yield from types_in(inner)


def openapi() -> dict[str, Any]:
    found: dict[str, Any] = decode(document.document_text().encode())
    return found


def written() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(route, schema's name, schema) of every body in the document."""
    known = openapi()
    for path, methods in known["paths"].items():
        for method, operation in methods.items():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                name = content["schema"].get("$ref", "").rpartition("/")[2]
                yield f"{method} {path}", name, known["components"]["schemas"].get(name, content["schema"])


def test_every_body_of_our_own_api_refuses_fields_that_it_does_not_name() -> None:
    ours = [(route, name, body) for route, name, body in written() if not WIRE.match(route.partition(" ")[2])]
    assert len(ours) > 10
    open_ = {name or route for route, name, body in ours if body.get("additionalProperties") is not False}
    assert open_ == THROUGH | NO_FIELDS


def test_every_body_class_in_the_code_is_closed_also_those_inside_others() -> None:
    bodies = [m for m in models(schemas) if issubclass(m, schemas.Body)]
    assert len(bodies) > 10
    assert [m.__name__ for m in bodies if m.model_config.get("extra") != "forbid"] == []
    inside = {
        t
        for m in bodies
        for f in m.model_fields.values()
        for t in types_in(f.annotation)
        if isinstance(t, type)
    }
    assert [t.__name__ for t in inside if issubclass(t, BaseModel) and not issubclass(t, schemas.Body)] == []


def test_no_reply_has_a_field_for_what_stays_inside() -> None:
    shown = [
        m for m in models(schemas, replies, run_replies, usage_replies) if not issubclass(m, schemas.Body)
    ]
    assert len(shown) > 30
    fields = [(f"{m.__name__}.{name}", f) for m in shown for name, f in m.model_fields.items()]
    assert [
        place for place, f in fields if any(t is Secret or t is bytes for t in types_in(f.annotation))
    ] == []
    assert [place for place, _ in fields if INSIDE.search(place.partition(".")[2])] == []
    assert {place for place, _ in fields if place.partition(".")[2] in ("key", "token", "api_key")} == ONCE


def test_no_schema_of_the_document_answers_with_what_stays_inside() -> None:
    known = openapi()
    bodies = {name for _, name, _ in written()}
    shown = {
        n: s
        for n, s in known["components"]["schemas"].items()
        if n not in bodies and n not in schemas_of(bodies)
    }
    assert [f"{n}.{p}" for n, s in shown.items() for p in s.get("properties", {}) if INSIDE.search(p)] == []


def schemas_of(names: set[str]) -> set[str]:
    """Schemas that only bodies use."""
    return names | {m.__name__ for m in models(schemas) if issubclass(m, schemas.Body)}


@pytest.mark.parametrize(
    "row", [accounts_store.KeyRow, accounts_store.UserRow, accounts_store.SessionRow, accounts_user.User]
)
def test_the_rows_that_are_presented_carry_no_hash_of_a_password_or_key(row: type) -> None:
    names = {f.name for f in dataclasses.fields(row)}
    assert {n for n in names if INSIDE.search(n)} <= {"address_digest"}


def test_what_presents_rows_is_never_handed_ciphertext() -> None:
    taken = {
        t
        for views in (present, account_views, listing_views, run_views)
        for maker in vars(views).values()
        if callable(maker) and getattr(maker, "__module__", "") == views.__name__
        for annotation in typing.get_type_hints(maker).values()
        for t in types_in(annotation)
    }
    assert accounts_store.SessionRow in taken
    assert not taken & {Secret, bytes, vault_store.SecretRow, vault_store.UserKeyRow, vault_store.WrappedRow}
