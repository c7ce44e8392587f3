"""Master keys, envelopes and the Secret type: what must not leak, and what must not open."""

import base64
import copy
import json
import os
import pickle
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from agent_marketplace.settings import Settings, SettingsError
from agent_marketplace.vault import CannotOpen, Keyring, Secret, load_secrets
from agent_marketplace.vault.envelope import Context, rewrap, seal, unseal
from agent_marketplace.vault.own_secrets import check_secret, load_or_create

HERE = Context("vault_secrets", "user-1", "openai", "sec_1", 1)


def a_key() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def settings(directory: Path, **changes: object) -> Settings:
    plain = Settings(data_dir=directory, models_dir=directory, database_url="sqlite:///x.db")
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_secret_never_shows_in_text_and_cannot_be_pickled_or_copied() -> None:
    secret = Secret("sk-very-secret-value-9876")
    shown = f"{secret} {secret!r} {secret!s:>40} {[secret]} {[str(secret)]}"
    assert "secret-value" not in shown
    assert "9876" not in shown
    for leak in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, hash):
        with pytest.raises(TypeError):
            leak(secret)
    assert secret.reveal() == "sk-very-secret-value-9876"
    assert secret == Secret("sk-very-secret-value-9876")
    assert secret != Secret("other")
    assert secret != "sk-very-secret-value-9876"


def test_masking_shows_four_characters_of_long_secrets_only() -> None:
    assert Secret("sk-0123456789abcdef").masked == "…cdef"
    assert Secret("short").masked == "…"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "not base64!",
        a_key()[:-8],
        "A" * 43 + "=",
        "ä" * 44,
        "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
    ],
    ids=["empty", "not-base64", "too-short", "one-letter", "not-ascii", "the-documentations-example"],
)
def test_a_malformed_or_patterned_master_key_stops_the_start(bad: str) -> None:
    with pytest.raises(SettingsError, match="ENCRYPTION_KEY"):
        Keyring([bad])


def test_no_master_key_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="missing"):
        Keyring([])


def test_the_error_about_a_bad_master_key_does_not_print_it() -> None:
    leaked = "my-precious-key-material"
    with pytest.raises(SettingsError) as e:
        Keyring([leaked])
    assert leaked not in str(e.value)
    assert leaked not in repr(Keyring([a_key()]))


def test_a_ciphertext_moved_to_any_other_place_does_not_open() -> None:
    ring = Keyring([a_key()])
    sealed = seal(ring, b"secret", HERE)
    assert unseal(ring, sealed, HERE) == b"secret"
    for other in (
        replace(HERE, table="vault_user_keys"),
        replace(HERE, user_id="user-2"),
        replace(HERE, purpose="anthropic"),
        replace(HERE, row_id="sec_2"),
        replace(HERE, version=2),
        replace(HERE, user_id="user-1openai", purpose=""),
    ):
        with pytest.raises(CannotOpen):
            unseal(ring, sealed, other)
        with pytest.raises(CannotOpen):
            rewrap(ring, sealed, other)


def test_no_changed_bit_and_no_truncation_of_a_ciphertext_opens() -> None:
    ring = Keyring([a_key()])
    sealed = seal(ring, b"secret", HERE)
    prefix = sealed.rindex(".") + 1
    body = bytearray(base64.urlsafe_b64decode(sealed[prefix:]))
    for bit in range(len(body) * 8):
        changed = bytearray(body)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CannotOpen):
            unseal(ring, sealed[:prefix] + base64.urlsafe_b64encode(changed).decode(), HERE)
    for end in range(len(sealed)):
        with pytest.raises(CannotOpen):
            unseal(ring, sealed[:end], HERE)
    for relabelled in ("v2" + sealed[2:], sealed.replace(ring.primary, "0" * 12), sealed + ".", "ä" + sealed):
        with pytest.raises(CannotOpen):
            unseal(ring, relabelled, HERE)


def test_parts_of_two_ciphertexts_cannot_be_mixed() -> None:
    ring = Keyring([a_key()])
    one, two = (seal(ring, text, HERE).split(".") for text in (b"one", b"two"))
    with pytest.raises(CannotOpen):
        unseal(ring, ".".join([*one[:3], two[3]]), HERE)


def test_rewrapping_changes_the_key_and_keeps_the_secret_and_its_ciphertext() -> None:
    old, new = a_key(), a_key()
    sealed = seal(Keyring([old]), b"secret", HERE)
    both = Keyring([new, old])
    again = rewrap(both, sealed, HERE)
    assert again.split(".")[1] == both.primary != sealed.split(".")[1]
    assert again.split(".")[3] == sealed.split(".")[3]
    assert unseal(Keyring([new]), again, HERE) == b"secret"
    with pytest.raises(CannotOpen, match="not on the ring"):
        unseal(Keyring([old]), again, HERE)


def test_the_first_start_makes_its_own_secrets_readable_by_nobody_else_and_names_them_once(
    tmp_path: Path,
) -> None:
    first = load_secrets(settings(tmp_path))
    assert {path.name for path in first.created} == {
        "jwt_secret",
        "key_pepper",
        "checkpoint_secret",
        "encryption_key",
    }
    for path in first.created:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    second = load_secrets(settings(tmp_path))
    assert second.created == ()
    assert (second.jwt, second.key_pepper, second.checkpoint) == (
        first.jwt,
        first.key_pepper,
        first.checkpoint,
    )
    assert second.keyring.ids == first.keyring.ids
    assert len({first.jwt, first.key_pepper, first.checkpoint}) == 3
    assert first.jwt.decode() not in repr(first)


def test_two_processes_that_start_at_once_agree_on_the_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda i: load_or_create(tmp_path / "secret", lambda: f"value-{i}"), range(32)))
    assert len({value for value, _ in made}) == 1
    assert sum(created for _, created in made) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_secret_made_by_another_process_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "secret"

    def overtaken() -> str:
        assert load_or_create(path, lambda: "theirs") == ("theirs", True)
        return "ours"

    assert load_or_create(path, overtaken) == ("theirs", False)
    assert [left.name for left in tmp_path.iterdir()] == ["secret"]


def test_a_secret_file_that_others_may_read_or_that_is_empty_stops_the_start(tmp_path: Path) -> None:
    load_secrets(settings(tmp_path))
    path = tmp_path / "secrets" / "jwt_secret"
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_secrets(settings(tmp_path))
    path.chmod(0o600)
    path.write_text("\n")
    with pytest.raises(SettingsError, match="empty"):
        load_secrets(settings(tmp_path))


KNOWN = [
    "secret",
    "changeme",
    "your-secret-key",
    "jwt-secret",
    "sk-1234",
    "t0p-s3cr3t",
    "keyboard cat",
    "super secret jwt secret",
    "your-256-bit-secret",
    "x" * 64,
    "0" * 40,
    "abcabcabcabcabcabcabcabcabcabcabcabc",
    "your-super-secret-jwt-key-change-in-production",
    "please-change-this-secret-key-in-production",
    "my_super_secret_jwt_token_with_very_long_value",
    "this-is-my-very-long-secret-key-for-testing",
    "insecure-default-secret-change-me-please",
    "password" * 5,
    "secret_key_here" * 3,
    "changeme-changeme-changeme-changeme",
    "example-secret-example-secret-example",
    "your_jwt_secret_key_here_at_least_32_chars",
]


@pytest.mark.parametrize("value", KNOWN)
def test_a_short_or_publicly_known_jwt_secret_stops_the_start(value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="JWT_SECRET") as e:
        load_secrets(settings(tmp_path, jwt_secret=value))
    assert value not in str(e.value)


def test_random_secrets_are_accepted() -> None:
    for _ in range(200):
        check_secret("JWT_SECRET", base64.b64encode(os.urandom(32)).decode())
        check_secret("JWT_SECRET", os.urandom(16).hex())


def test_on_postgresql_every_secret_must_be_given_and_nodes_agree(tmp_path: Path) -> None:
    jwt, key = base64.b64encode(os.urandom(48)).decode(), a_key()
    node = settings(tmp_path, database_url="postgresql+psycopg://x")
    for missing in (node, replace(node, jwt_secret=jwt)):
        with pytest.raises(SettingsError, match="missing"):
            load_secrets(missing)
    one, two = (load_secrets(replace(node, jwt_secret=jwt, encryption_keys=(key,))) for _ in range(2))
    assert (one.jwt, one.key_pepper, one.checkpoint) == (two.jwt, two.key_pepper, two.checkpoint)
    assert len({one.jwt, one.key_pepper, one.checkpoint}) == 3
    assert list(tmp_path.iterdir()) == []
