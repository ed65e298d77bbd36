"""The unit: its exposure, what systemd says about it, and that it fits the install guide."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SYSTEMD = ROOT / "systemd"
UNIT = SYSTEMD / "veilleuse.service"
DROP_INS = sorted((SYSTEMD / "drop-ins").glob("*.conf"))

with_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze on this machine")


def settings(path: Path) -> dict[str, list[str]]:
    """``Section.Key`` -> its values in order."""
    found: dict[str, list[str]] = defaultdict(list)
    section = ""
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found[f"{section}.{key}"].append(value)
    return found


def score(limit: str, *drop_ins: Path) -> subprocess.CompletedProcess[str]:
    command = ["sh", str(ROOT / "scripts" / "unit-score"), limit, *map(str, drop_ins)]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@with_systemd
def test_exposure_stays_within_the_limit() -> None:
    done = score("1.5")
    assert done.returncode == 0, done.stdout + done.stderr


@with_systemd
def test_exposure_without_serial_lines_is_lower_still() -> None:
    done = score("1.0", SYSTEMD / "drop-ins" / "no-serial.conf")
    assert done.returncode == 0, done.stdout + done.stderr


@with_systemd
def test_a_loosened_unit_fails_the_limit(tmp_path: Path) -> None:
    loose = tmp_path / "loose.conf"
    loose.write_text("[Service]\nNoNewPrivileges=no\nProtectSystem=no\nSystemCallFilter=\n")
    done = score("1.5", loose)
    assert done.returncode == 1
    assert re.match(r"exposure [2-9]\.\d \(limit 1\.5\)", done.stdout)


@with_systemd
@pytest.mark.parametrize("drop_in", [None, *DROP_INS], ids=lambda path: path.stem if path else "none")
def test_systemd_only_misses_the_executable(tmp_path: Path, drop_in: Path | None) -> None:
    shutil.copy(UNIT, tmp_path)
    if drop_in:
        (tmp_path / "veilleuse.service.d").mkdir()
        shutil.copy(drop_in, tmp_path / "veilleuse.service.d")
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / UNIT.name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    about_us = [line for line in done.stderr.splitlines() if "veilleuse" in line]
    assert [line for line in about_us if "veilleuse is not executable" not in line] == []


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="no systemd-sysusers on this machine")
def test_sysusers_makes_the_user_that_the_unit_runs_as() -> None:
    command = ["systemd-sysusers", "--dry-run", str(SYSTEMD / "veilleuse.sysusers")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert (SYSTEMD / "veilleuse.sysusers").read_text().splitlines()[-1].split()[:2] == ["u", "veilleuse"]
    assert settings(UNIT)["Service.User"] == ["veilleuse"]


def test_the_daemon_is_supervised() -> None:
    unit = settings(UNIT)
    assert unit["Service.Type"] == ["notify"]
    assert unit["Service.WatchdogSec"] == ["30"]
    assert unit["Service.Restart"] == ["always"]
    assert unit["Unit.StartLimitIntervalSec"] == ["0"]
    assert unit["Service.ExecReload"] == ["/bin/kill -HUP $MAINPID"]


def test_the_unit_runs_the_console_script_on_a_safe_path() -> None:
    unit = settings(UNIT)
    assert unit["Service.ExecStart"] == ["/opt/veilleuse/bin/veilleuse run /etc/veilleuse"]
    assert "PYTHONSAFEPATH=1" in unit["Service.Environment"][0].split()


def test_the_broadcasts_of_bacnet_pass_the_address_filter() -> None:
    allowed = " ".join(settings(UNIT)["Service.IPAddressAllow"]).split()
    assert {"localhost", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "255.255.255.255"} <= set(allowed)
    assert settings(UNIT)["Service.IPAddressDeny"] == ["any"]


def test_the_guide_installs_every_file_that_is_shipped() -> None:
    guide = (ROOT / "docs" / "install.md").read_text()
    shipped = [path for path in SYSTEMD.rglob("*") if path.is_file()]
    assert [path.name for path in shipped if path.name not in guide] == []


def test_no_package_stands_where_only_files_belong() -> None:
    assert not (SYSTEMD / "__init__.py").exists()
