"""What is published: a wheel that stands alone, holds what the source tree holds and nothing that runs by itself."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.fakes.served import Served, environment, until

BACKEND = Path(__file__).parents[2]
ROOT = BACKEND.parent
PACKAGE = BACKEND / "agent_marketplace"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as for publishing."""
    folder = tmp_path_factory.mktemp("dist")
    build = [
        *PIP,
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(folder),
        str(BACKEND),
    ]
    subprocess.run(build, check=True, timeout=120)
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_holds_the_package_and_nothing_that_runs_at_every_start(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert not [name for name in names if name.endswith(".pth") or "sitecustomize" in name]
    here = {
        str(path.relative_to(BACKEND))
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not path.name.startswith(".")
    }
    # Files that somebody saves while the wheel is built are not the wheel's fault; what git knows must be in it.
    tracked = subprocess.run(
        ["git", "ls-files", "agent_marketplace"], cwd=BACKEND, capture_output=True, text=True, check=True
    )
    assert set(tracked.stdout.split()) & here <= names
    assert {name for name in names if not name.startswith("agent_marketplace/web/.")} <= here
    extension = "agent_marketplace/web/editors/vscode/extension.vsix"  # what the server hands to editors
    assert extension in names or not (BACKEND / extension).is_file()


@pytest.mark.slow
def test_the_wheel_serves_from_a_clean_environment_with_its_ui(wheel: Path, tmp_path: Path) -> None:
    python = tmp_path / "venv/bin/python"
    try:
        subprocess.run(
            [sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True, timeout=60
        )
    except subprocess.CalledProcessError:
        pytest.skip("this Python has no venv module")
    pins = tmp_path / "pins.txt"
    lock = (BACKEND / "requirements/run.lock").read_text().splitlines()
    pins.write_text("\n".join(line.split(" ")[0] for line in lock if line[:1].isalnum()))
    install = [
        *PIP,
        "--python",
        str(python),
        "install",
        "-q",
        "--only-binary",
        ":all:",
        "-c",
        str(pins),
        f"{wheel}[local]",
    ]
    subprocess.run(install, check=True, timeout=300)
    env = environment(
        tmp_path / "home", MARKETPLACE_MODELS_DIR=str(tmp_path / "models"), MARKETPLACE_LOCAL_MODEL="on"
    )
    command = [str(python.with_name("agent-marketplace")), "serve", "--port", "0"]
    process = subprocess.Popen(
        command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if "http://" in line)
        server = Served(process, env, int(line.split("127.0.0.1:")[1].split()[0]))
        until(lambda: server.call("GET", "/readyz")[0] == 200)
        status, page = server.call("GET", "/")
        assert status == 200
        if (PACKAGE / "web/index.html").is_file():
            assert page == (PACKAGE / "web/index.html").read_text()
        assert server.sign_up()
        assert server.call("GET", "/api/v1/marketplace/models?limit=1")[1]["total"] >= 500
        process.terminate()
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout and process.stdout.close()
    postgres = subprocess.run(
        [command[0], "migrate"],
        env=env | {"DATABASE_URL": "postgresql://x@127.0.0.1/x"},
        capture_output=True,
        text=True,
    )
    assert postgres.returncode == 2
    assert "ai-agent-marketplace[postgres]" in postgres.stderr


def _script(*words: str) -> subprocess.CompletedProcess[str]:
    script = str(ROOT / "scripts/dependencies.py")
    return subprocess.run([sys.executable, script, *words], capture_output=True, text=True)


def test_the_licence_list_is_up_to_date_and_knows_every_licence() -> None:
    done = _script("licences", "--check")
    assert done.returncode == 0, done.stderr
    page = (ROOT / "docs/licences.md").read_text()
    assert "not installed here" not in page
    assert "see its own files" not in page


def test_no_more_packages_are_asked_for_than_were_weighed_and_every_locked_one_has_hashes() -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        import dependencies
    finally:
        sys.path.pop(0)
    assert len(dependencies.direct_names(extras=False)) <= 17
    assert (
        len(dependencies.direct_names()) <= 26
    )  # the last is MCP's own SDK, which only declared commands load
    assert all(package.hashes for package in dependencies.locked())


def test_the_bill_of_materials_names_every_locked_package_with_its_hashes() -> None:
    document = json.loads(_script("sbom").stdout)
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    refs = {c["bom-ref"] for c in document["components"]}
    assert len(refs) == len(document["components"]) > 25
    assert any(ref.startswith("pkg:pypi/cryptography@") for ref in refs)
    assert not any("hatchling" in ref for ref in refs)
    assert all(c["properties"][0]["value"] for c in document["components"])
    assert document == json.loads(_script("sbom").stdout)
