"""Set-up and packaging: what is locked, what is shipped, and what the scripts say where something is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("controller", "drivers", "schedules", "config", "sim")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = tomllib.loads((ROOT / "uv.lock").read_text())
HEAVY = {"pydantic", "bacpypes3", "pymodbus", "rich", "ruamel", "aiomqtt", "structlog", "sqlite3"}
HELP = """
import sys
from controller.cli import cli
cli.main(["--help"], prog_name="veilleuse", standalone_mode=False)
print("loaded:", *sorted(sys.modules))
"""


def make(*arguments: str, cwd: Path = ROOT) -> str:
    """What ``make`` prints; a make above us (make test) passes nothing on."""
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "ARGS"}}
    command = ["make", *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Machine:
    """A PATH with nothing on it but what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in ("sh", "sort", "tr", "cat", "mktemp", "rm", "dirname", "chmod", "env", "grep"):
            self.link(name, shutil.which(name) or name)

    def link(self, name: str, target: str) -> None:
        (self.folder / name).symlink_to(target)

    def script(self, name: str, body: str) -> None:
        path = self.folder / name
        path.write_text(f"#!{self.folder}/sh\n{body}\n")
        path.chmod(0o755)

    def run(self, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        text = script.read_text().replace("/usr/local/sbin:/usr/sbin:/sbin", "/nowhere")
        copy = self.folder.parent / "tree" / "scripts" / script.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text)
        command = [str(self.folder / "sh"), str(copy), *arguments]
        environment = {"PATH": str(self.folder), "TMPDIR": str(self.folder.parent)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "bin")


def test_every_locked_file_has_a_hash() -> None:
    unhashed = [
        file["url"]
        for package in LOCK["package"]
        for file in [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        if not file.get("hash", "").startswith("sha256:")
    ]
    assert unhashed == []
    pin, *hashes = (ROOT / "scripts" / "uv.txt").read_text().splitlines()
    assert pin.startswith("uv==")
    assert hashes
    assert [line for line in hashes if "--hash=sha256:" not in line] == []


def test_the_lock_knows_every_declared_dependency() -> None:
    locked = next(package for package in LOCK["package"] if package["name"] == "veilleuse")["metadata"]
    declared = [*PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"]["demo"]]
    assert {entry["name"].replace("-", "") for entry in locked["requires-dist"]} == {bare(text) for text in declared}


def bare(requirement: str) -> str:
    """The name in a requirement, without dots and dashes."""
    name = requirement.partition(">")[0].partition("[")[0]
    return name.replace(".", "").replace("-", "").lower()


def test_the_wheel_takes_the_five_packages_with_their_types() -> None:
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PACKAGES)
    assert [name for name in PACKAGES if not (ROOT / name / "py.typed").is_file()] == []
    assert [name for name in PACKAGES if not (ROOT / name / "__init__.py").is_file()] == []


def test_no_other_distribution_takes_one_of_our_names() -> None:
    owners = packages_distributions()
    assert [name for name in PACKAGES if set(owners.get(name, [])) - {"veilleuse"}] == []


def test_the_console_script_is_there() -> None:
    (script,) = entry_points(group="console_scripts", name="veilleuse")
    assert callable(script.load())


def test_help_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, timeout=30, check=True)
    assert set(done.stdout.rpartition("loaded:")[2].split()) & HEAVY == set()


def test_make_help_names_every_target() -> None:
    listed = {line.split()[1] for line in make("help").splitlines()}
    phony = next(line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY:"))
    assert listed == set(phony.split()[1:])


def test_a_second_run_sets_nothing_up(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    assert "scripts/setup demo" in make("-n", "demo", cwd=tmp_path)
    (tmp_path / ".venv").mkdir()
    for stamp in (".ready-demo", ".ready-test"):
        (tmp_path / ".venv" / stamp).touch()
    assert make("-n", "demo", 'ARGS=--speed 1200 --for "2m"', cwd=tmp_path).strip() == (
        '.venv/bin/veilleuse demo --speed 1200 --for "2m"'
    )
    assert "scripts/setup" not in make("-n", "test", cwd=tmp_path)
    later = (tmp_path / ".venv" / ".ready-demo").stat().st_mtime + 5
    os.utime(tmp_path / "uv.lock", (later, later))
    assert "scripts/setup demo" in make("-n", "demo", cwd=tmp_path)


@pytest.mark.parametrize("script", ["setup", "require", "uv", "unit-score", "smoke-wheel"])
def test_scripts_parse(script: str) -> None:
    done = subprocess.run(["sh", "-n", str(ROOT / "scripts" / script)], capture_output=True, timeout=10, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_ci_script_parses_and_may_be_run() -> None:
    path = ROOT / ".ci" / "run"
    done = subprocess.run(["bash", "-n", str(path)], capture_output=True, timeout=10, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert os.access(path, os.X_OK)


def test_what_is_present_asks_for_nothing(machine: Machine) -> None:
    machine.script("mosquitto", ":")
    done = machine.run(ROOT / "scripts" / "require", "mosquitto")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_the_right_to_install_one_line_says_what_is_missing(machine: Machine) -> None:
    machine.script("id", "echo 1000")
    machine.script("sudo", "exit 1")
    machine.script("apt-get", "exit 1")
    done = machine.run(ROOT / "scripts" / "require", "mosquitto", "mosquitto_pub", "mbpoll")
    assert done.returncode == 1
    assert done.stderr == (
        "veilleuse: mosquitto mosquitto_pub mbpoll missing and no right to install; "
        "install first: sudo apt-get install mbpoll mosquitto mosquitto-clients\n"
    )


def test_without_a_known_package_manager_one_line_says_so(machine: Machine) -> None:
    machine.script("id", "echo 0")
    done = machine.run(ROOT / "scripts" / "require", "mbpoll")
    assert done.returncode == 1
    assert done.stderr == "veilleuse: mbpoll missing; install first: the packages mbpoll of this system\n"


@pytest.mark.parametrize("user", ["root", "sudoer"])
def test_what_is_missing_is_installed_after_a_refresh_of_the_lists(machine: Machine, user: str) -> None:
    machine.script("id", f"echo {0 if user == 'root' else 1000}")
    machine.script("sudo", 'shift; exec "$@"')
    machine.link("true", shutil.which("true") or "true")
    fresh, mbpoll = machine.folder / "fresh", machine.folder / "mbpoll"
    machine.script(
        "apt-get",
        f'case "$*" in *update*) : > {fresh} ;; *) [ -e {fresh} ] && : > {mbpoll} && chmod +x {mbpoll} ;; esac',
    )
    done = machine.run(ROOT / "scripts" / "require", "mbpoll")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "veilleuse: installing mbpoll (apt-get)\n"
    assert mbpoll.exists()


def test_a_package_without_the_command_is_a_failure(machine: Machine) -> None:
    machine.script("id", "echo 0")
    machine.script("dnf", "exit 0")
    done = machine.run(ROOT / "scripts" / "require", "mosquitto_pub")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "sudo dnf install mosquitto" in done.stderr


def test_setup_without_a_recent_python_says_so_in_one_line(machine: Machine) -> None:
    machine.script("python3", "exit 1")
    done = machine.run(ROOT / "scripts" / "setup", "demo")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no Python 3.11 or newer found" in done.stderr


def test_setup_without_ensurepip_says_which_package_to_install(machine: Machine) -> None:
    machine.script("python3", f'case "$*" in *ensurepip*) exit 1 ;; *) exec {sys.executable} "$@" ;; esac')
    machine.script("id", "echo 1000")
    machine.script("apt-get", "exit 1")
    shutil.copytree(ROOT / "scripts", machine.folder.parent / "tree" / "scripts")
    done = machine.run(ROOT / "scripts" / "setup", "demo")
    assert done.returncode == 1
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert done.stderr == (
        "veilleuse: python-venv missing and no right to install; "
        f"install first: sudo apt-get install python{version}-venv\n"
    )
