"""The units, users, folders and log rotation: as systemd reads them, hardened, of one piece."""

import logging
import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from staffeln_cli.cli.log_format import LogFile
from tests.documents.pages import ROOT

UNITS = ROOT / "cron/systemd"
SERVICES = sorted(UNITS.glob("*.service"))
SANDBOXED = ("staffeln@.service", "staffeln-policy.service")
FOLDERS = {
    "/etc/staffeln": "root",
    "/var/lib/staffeln": "staffeln",
    "/var/log/staffeln": "staffeln",
}
MOST_EXPOSED = 20
"""Of a hundred, as `systemd-analyze security` counts."""


def unit(file: Path) -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign] # keys are case-sensitive
    parser.read(file)
    return parser


def complaints(program: str, *arguments: object) -> list[str]:
    """What a program of the system says about our files; nothing where it is not installed."""
    if shutil.which(program) is None:
        return []
    command = [program, *map(str, arguments)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line for line in answer.stderr.splitlines() if "staffeln" in line]
    return said or [answer.stderr] * (answer.returncode != 0)


def installed(file: Path, folder: Path) -> Path:
    """The unit with the program of this environment, and with an instance's name."""
    text = file.read_text().replace("/opt/staffeln/bin/staffeln", _program())
    copy = folder / file.name.replace("@.", "@collect.")
    copy.write_text(text)
    return copy


def _program() -> str:
    return str(Path(sys.executable).parent / "staffeln")


@pytest.mark.parametrize("name", SANDBOXED)
def test_a_unit_is_sandboxed_and_ends_well_when_it_is_stopped(name: str) -> None:
    service = unit(UNITS / name)["Service"]
    assert service["ProtectSystem"] == "strict"
    assert service["NoNewPrivileges"] == "yes"
    assert service["CapabilityBoundingSet"] == ""
    assert service["SuccessExitStatus"] == "143"


def test_the_login_is_handed_to_the_passes_as_a_credential() -> None:
    service = unit(UNITS / "staffeln@.service")["Service"]
    name, _, source = service["LoadCredential"].partition(":")
    assert source == "/etc/staffeln/clouds.yaml"
    assert f"OS_CLIENT_CONFIG_FILE=%d/{name}" in (UNITS / "staffeln@.service").read_text()


def test_the_alarm_that_the_passes_name_exists() -> None:
    (named,) = re.findall(r"OnFailure=(\S+)", (UNITS / "staffeln@.service").read_text())
    assert (UNITS / named.replace("%i", "")).is_file()


def test_the_folders_belong_to_whom_the_passes_need() -> None:
    lines = (UNITS / "staffeln.tmpfiles.conf").read_text().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    assert {row[1]: row[3] for row in rows if row[0] == "d"} == FOLDERS
    assert all(int(row[2], 8) & 0o007 == 0 for row in rows), "nothing is for everybody"
    (user,) = re.findall(r"^u (\S+)", (UNITS / "staffeln.sysusers.conf").read_text(), re.MULTILINE)
    assert unit(UNITS / "staffeln@.service")["Service"]["User"] == user


def test_a_rotated_log_is_noticed_by_what_writes_it(tmp_path: Path) -> None:
    rules = (ROOT / "cron/logrotate/staffeln").read_text()
    assert "/var/log/staffeln/*.log {" in rules
    assert "copytruncate" not in rules
    file = tmp_path / "staffeln.log"
    log = LogFile(file, pytest.fail)
    log.emit(log_record("before"))
    file.rename(tmp_path / "staffeln.log.1")
    log.emit(log_record("after"))
    log.close()
    assert "after" in file.read_text()


def log_record(message: str) -> logging.LogRecord:
    return logging.LogRecord("staffeln", logging.WARNING, __file__, 1, message, None, None)


@pytest.mark.parametrize("file", SERVICES, ids=lambda file: file.name)
def test_systemd_has_nothing_to_complain_of(file: Path, tmp_path: Path) -> None:
    assert complaints("systemd-analyze", "verify", "--man=no", installed(file, tmp_path)) == []


@pytest.mark.parametrize("name", SANDBOXED)
def test_systemd_counts_little_exposure(name: str, tmp_path: Path) -> None:
    bound = ("--offline=true", f"--threshold={MOST_EXPOSED}")
    assert (
        complaints("systemd-analyze", "security", *bound, installed(UNITS / name, tmp_path)) == []
    )


def test_logrotate_understands_the_rules(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    text = (ROOT / "cron/logrotate/staffeln").read_text().replace("/var/log", str(tmp_path))
    rules.write_text(text.replace("su staffeln staffeln", "").replace("staffeln staffeln", ""))
    state = ("--state", tmp_path / "state")
    assert complaints("logrotate", *state, rules) == []
    rules.write_text(text.replace("weekly", "weakly"))
    assert complaints("logrotate", *state, rules) or shutil.which("logrotate") is None
