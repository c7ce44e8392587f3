"""Dockerfile, compose file and systemd unit, checked without Docker: nothing runs as root, no secret is baked in, names exist."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from agent_marketplace import settings

ROOT = Path(__file__).parents[3]
GRACE_S = 30
SECRET = re.compile(r"PASSWORD|SECRET|KEY|TOKEN")


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text())
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines]


def known_to_settings(name: str, tmp_path: Path) -> bool:
    """Whether settings accept a variable of that name: a MARKETPLACE_ name that is unknown is refused."""
    try:
        settings.load({name: "", "MARKETPLACE_DATA_DIR": str(tmp_path)})
    except settings.SettingsError as error:
        return "unknown setting" not in str(error)
    return True


def test_the_image_runs_without_root_and_without_secrets_or_unpinned_parts() -> None:
    found = instructions()
    last_stage = found[[i for i, (word, _) in enumerate(found) if word == "FROM"][-1] :]
    users = [rest for word, rest in last_stage if word == "USER"]
    assert users
    assert users[-1] not in ("root", "0")
    assert all(
        ":" in rest.split()[0] and not rest.split()[0].endswith(":latest")
        for word, rest in found
        if word == "FROM"
    )
    assert not [rest for word, rest in found if word == "ADD"]
    assert not [rest for word, rest in found if word in ("ENV", "ARG") and SECRET.search(rest)]
    assert any("--require-hashes" in rest for word, rest in found if word == "RUN")
    assert {word for word, _ in last_stage} >= {"HEALTHCHECK", "ENTRYPOINT", "STOPSIGNAL"}


def test_a_locked_install_never_asks_which_version_is_newest_today() -> None:
    """pip looks an extra of a dependency up at its newest version first, and then fails because the lock has another one."""
    for name in ("scripts/setup.sh", "Dockerfile", "docs/operations.md"):
        lines = [
            line
            for line in (ROOT / name).read_text().splitlines()
            if "pip install" in line and "--require-hashes" in line
        ]
        assert lines, name
        assert all("--no-deps" in line for line in lines), name


def run_setup_step(step: str, folder: Path, path: str, setup: str = "") -> None:
    """Runs one function of setup.sh, with all the others as they are, in a folder of its own."""
    text = (ROOT / "scripts/setup.sh").read_text()
    functions = "\n".join(re.findall(r"^\w+\(\) \{(?: .*? \}$|.*?^\})", text, re.MULTILINE | re.DOTALL))
    script = f"set -eu\nwant=run\n{functions}\n{setup}\n{step}"
    subprocess.run(["/bin/sh", "-c", script], cwd=folder, env={"PATH": path}, check=False)


@pytest.mark.parametrize(
    ("version", "brought"),
    [
        ("v22.12.0", False),
        ("v24.21.0", False),
        ("v22.9.0", True),
        ("v20.20.2", True),
        ("v8.17.0", True),
        (None, True),
    ],
)
def test_the_machine_s_own_node_is_used_unless_it_is_too_old(
    version: str | None, brought: bool, tmp_path: Path
) -> None:
    """Bringing a second Node costs a newcomer 60 MB and a false sentence."""
    programs = {"npm": "exit 0", ".venv/bin/python": 'echo brought >> "$0.log"; exit 1'}
    if version:
        programs["node"] = f'[ "$1" = --version ] && echo {version}'
    (tmp_path / ".venv/bin").mkdir(parents=True)
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "sed").symlink_to(shutil.which("sed") or "")
    run_setup_step("node_tools", tmp_path, str(tmp_path))
    assert (tmp_path / ".venv/bin/python.log").exists() is brought


def test_the_web_ui_is_built_once_and_again_only_when_its_source_changed(tmp_path: Path) -> None:
    """Rebuilding an unchanged page made every start wait for it."""
    for folder in ("frontend/src", "frontend/node_modules", "backend/agent_marketplace", ".venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "frontend/package-lock.json").write_text("{}")
    (tmp_path / ".venv/bin/python").symlink_to("/bin/true")
    npm = '[ "$1" = ci ] || { echo built >> ../builds; mkdir -p dist; }'
    tools = f"node_tools() {{ :; }}\nnpm() {{ {npm}; }}"
    builds = []
    for source in ("one", "one", "two", "two"):
        (tmp_path / "frontend/src/page.ts").write_text(source)
        run_setup_step("build_ui", tmp_path, os.environ["PATH"], tools)
        builds.append((tmp_path / "builds").read_text().count("built"))
    assert builds == [1, 1, 2, 2]


def test_no_log_of_the_sample_proxy_keeps_a_key_from_the_query() -> None:
    """nginx's own formats and its error log below `crit` repeat the whole request line, and with it Gemini's `?key=`."""
    servers = (ROOT / "deploy/nginx.conf").read_text().split("\nserver {")[1:]
    assert len(servers) == 2
    for server in servers:
        assert re.findall(r"access_log (?!off|\S+ marketplace)", server) == []
        assert "access_log" in server
        assert re.search(r"error_log \S+ crit;", server)
    form = re.search(r"log_format marketplace '([^']*)'", (ROOT / "deploy/nginx.conf").read_text())
    assert form is not None
    assert "$uri" in form[1]
    assert not re.search(r"\$(request|request_uri|args|query_string)\b", form[1])


def test_what_the_image_copies_is_there() -> None:
    for word, rest in instructions():
        if word == "COPY" and "--from" not in rest:
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source


@pytest.mark.parametrize("part", ["environment", "image"])
def test_every_setting_that_is_named_exists(part: str, tmp_path: Path) -> None:
    if part == "image":
        names = re.findall(r"\b(MARKETPLACE_\w+)=", (ROOT / "Dockerfile").read_text())
        names += re.findall(r"\b(MARKETPLACE_\w+)=", (ROOT / "deploy/agent-marketplace.service").read_text())
    else:
        services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
        names = [name for service in services.values() for name in service.get("environment", {})]
    assert names
    assert not [name for name in names if not known_to_settings(name, tmp_path)]


def test_the_compose_file_has_no_default_secret_and_drains_before_it_kills() -> None:
    document = yaml.safe_load((ROOT / "compose.yaml").read_text())
    services = document["services"]
    assert set(services) == {"database", "migrate", "server"}
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if name in ("POSTGRES_PASSWORD", "JWT_SECRET", "ENCRYPTION_KEY", "DATABASE_URL"):
                assert ":?" in value, f"{name} must be demanded"
            elif SECRET.search(name):
                assert value.endswith(":-}"), f"{name} must come from outside"
    server = services["server"]
    assert server["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert int(server["stop_grace_period"].removesuffix("s")) > GRACE_S
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    used = {mount.split(":")[0] for service in services.values() for mount in service.get("volumes", [])}
    assert used == set(document["volumes"])


def test_the_unit_migrates_first_drains_and_runs_without_rights() -> None:
    unit = (ROOT / "deploy/agent-marketplace.service").read_text()
    value = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#"))
    assert value["ExecStartPre"].endswith("agent-marketplace migrate")
    assert " serve " in value["ExecStart"]
    assert int(value["TimeoutStopSec"]) > GRACE_S
    assert value["KillMode"] == "mixed"  # the parent alone gets the signal, and drains its workers itself
    assert value["User"] not in ("root", "0", "")
    assert value["NoNewPrivileges"] == "yes"


def test_a_command_of_the_operators_runs_as_the_service_and_with_its_settings(tmp_path: Path) -> None:
    unit, admin = (
        (ROOT / "deploy/agent-marketplace.service").read_text(),
        (ROOT / "deploy/marketplace-admin").read_text(),
    )
    user, settings_file = re.findall(r"^(?:User|EnvironmentFile)=(.*)$", unit, re.MULTILINE)
    user, settings_file = (user, settings_file) if settings_file.startswith("/") else (settings_file, user)
    assert f"user={user}\n" in admin
    assert f". {settings_file}\n" in admin
    sample = (ROOT / "deploy/agent-marketplace.env").read_text()
    given = dict(line.split("=", 1) for line in sample.splitlines() if line and not line.startswith("#"))
    found = settings.load(given | {"HOME": str(tmp_path)})
    assert (str(found.data_dir), found.signup, found.embedded) == (
        "/var/lib/agent-marketplace",
        "invite",
        True,
    )
    assert subprocess.run(["sh", "-n", ROOT / "deploy/marketplace-admin"], check=False).returncode == 0


def tool(name: str) -> str:
    """A checker that is installed with the tests."""
    return str(Path(sys.executable).with_name(name))


def test_linters_of_their_trades_find_nothing_in_image_and_compose_file() -> None:
    for words in (
        [tool("hadolint"), "--failure-threshold", "info", "Dockerfile"],
        [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "compose.yaml"],
    ):
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_proxy_does_not_buffer_streams_or_show_metrics() -> None:
    text = (ROOT / "deploy/nginx.conf").read_text()
    assert "proxy_buffering off" in text
    assert "proxy_request_buffering off" in text  # prompts must not lie in temporary files
    (logged,) = re.findall(r"log_format \w+ '(.*)';", text)
    assert not re.search(
        r"\$request\b|\$args|\$query_string|\$request_uri|\$http_", logged
    )  # ?key= is a credential
    assert re.search(r"location = /metrics \{ deny all; \}", text)
