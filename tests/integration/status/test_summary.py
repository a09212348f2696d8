"""`staffeln status`: am I protected?"""

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from staffeln_cli.model import SkipCause, State


@pytest.fixture
def well(past: Any) -> Any:
    """A cloud in which all is well."""
    past.belongs()
    past.projects("alpha", "beta")
    past.volume("root")
    past.volume("home", last_success_at=past.ago(hours=20))
    past.volume("swap", protected=False, skip_cause=SkipCause.REQUEST)
    past.volume("other", protected=False, skip_cause=SkipCause.UNMARKED)
    past.backup("b1")
    past.backup("b2", State.PLANNED)
    past.run("collect")
    past.run("check")
    return past


def test_json_has_exactly_the_promised_shape(staffeln: Any, well: Any) -> None:
    answer = staffeln("status", "-f", "json")
    assert answer.exit_code == 0
    state = answer.json
    generated_at = state.pop("generated_at")
    assert generated_at.endswith("Z")
    host = {"outcome": "ok", "host": "host1"}
    at = f"{well.ago(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
    assert state == {
        "cloud": "prod",
        "untracked": 0,
        "paused": [],
        "volumes": {"protected": 2, "skipped": 1, "overdue": 0, "never": 0},
        "backups": {"planned": 1, "available": 1},
        "oldest_success": f"{well.ago(hours=20):%Y-%m-%dT%H:%M:%SZ}",
        "work": {"running": [], "waiting": 1, "running_done_at": None, "done_at": None}
        | {"window": None},
        "proofs": {"proven": 0, "failed": 0, "every": "100d", "recovery": []},
        "runs": {"check": {"at": at, **host}, "collect": {"at": at, **host}},
    }


def test_an_empty_database_is_no_reason_to_sleep(staffeln: Any) -> None:
    state = staffeln("status", "-f", "json").json
    assert state["volumes"] == {"protected": 0, "skipped": 0, "overdue": 0, "never": 0}
    assert (state["cloud"], state["oldest_success"], state["runs"]) == (None, None, {})
    assert "collect has never completed" in staffeln("status").stdout


def test_the_headline_says_that_all_are_protected(staffeln: Any, well: Any) -> None:
    lines = staffeln("status").stdout.splitlines()
    assert lines[0].startswith("prod, ")
    assert lines[2] == "OK  all 2 protected volumes have a recent backup"
    assert not any(line.endswith(" ") for line in lines)


def test_overdue_volumes_come_first_and_are_named_the_waiting_order_on_top(
    staffeln: Any, well: Any
) -> None:
    never = {"last_success_at": None, "last_started_at": None}
    well.volume("new", protected_since=well.ago(hours=30), **never)
    well.volume("late", last_success_at=well.ago(days=3), failures=4)
    well.volume("later", **never)
    lines = staffeln("status").stdout.splitlines()
    assert lines[2] == "CRITICAL  2 of 5 protected volumes are overdue"
    named = [line.split() for line in lines if line.startswith("  alpha")]
    assert named == [
        ["alpha", "web", "later", "never,", "seen", "10", "d", "ago", "none", "was", "made"],
        ["alpha", "web", "late", "3", "d", "ago", "4", "failed", "since"],
    ]
    assert staffeln("status", "-f", "json").json["volumes"]["never"] == 2


def test_of_many_overdue_volumes_ten_are_named_and_the_rest_counted(
    staffeln: Any, well: Any
) -> None:
    for number in range(13):
        well.volume(f"late{number}", last_success_at=well.ago(days=3 + number))
    text = staffeln("status").stdout
    assert text.count("  alpha") == 10
    assert "late12" in text
    assert "late2 " not in text
    assert "… and 3 more: staffeln status volumes --overdue" in text


def test_a_volume_that_is_gone_counts_no_more(staffeln: Any, well: Any) -> None:
    well.volume("gone", protected=False, skip_reason="volume is gone", gone_at=well.now)
    assert staffeln("status", "-f", "json").json["volumes"]["protected"] == 2


def test_names_of_strangers_are_shown_and_never_obeyed(staffeln: Any, well: Any) -> None:
    for place, name in enumerate(("[red]r", "<b>", "a\nb\x1b[31m", "x" * 255, "🚀")):
        well.volume(
            name, volume_id=f"v{place}", server_name=name, last_success_at=well.ago(days=3)
        )
    text = staffeln("status").stdout
    assert "[red]r" in text
    assert "a b?[31m" in text
    assert "\x1b" not in text


def test_nagios_says_ok_when_all_is_well(staffeln: Any, well: Any) -> None:
    answer = staffeln("status", "--nagios")
    assert answer.exit_code == 0
    assert answer.stdout.startswith("STAFFELN OK - all 2 protected volumes have a recent backup |")
    assert answer.stdout.count("\n") == 1
    assert " overdue=0;;1;0;2 " in answer.stdout


def test_nagios_warns_of_a_volume_without_any_backup(staffeln: Any, well: Any) -> None:
    well.volume("new", protected_since=well.now, last_success_at=None)
    assert staffeln("status", "--nagios").exit_code == 1
    assert staffeln("status", "--nagios", "--warning", "2").exit_code == 0


def test_nagios_warns_of_a_failed_pass(staffeln: Any, well: Any) -> None:
    well.run("backup", "partial")
    answer = staffeln("status", "--nagios")
    assert answer.exit_code == 1
    assert answer.stdout.startswith("STAFFELN WARNING - the last backup failed in part |")


def test_nagios_finds_overdue_volumes_critical_unless_told_how_many_are(
    staffeln: Any, well: Any
) -> None:
    well.volume("late", last_success_at=well.ago(days=3))
    assert staffeln("status", "--nagios").exit_code == 2
    assert staffeln("status", "--nagios", "--critical", "2").exit_code == 1


def test_nagios_finds_a_cloud_that_nobody_looks_at_critical(staffeln: Any, past: Any) -> None:
    past.volume("root")
    past.run("collect", at=past.ago(days=3))
    past.run("collect", "failed")
    answer = staffeln("status", "--nagios")
    assert answer.exit_code == 2
    assert "the last good collect was 3 d ago" in answer.stdout


def test_nagios_does_not_know_when_the_database_cannot_be_read(
    staffeln: Any, tmp_path: Path
) -> None:
    staffeln.set(DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
    answer = staffeln("status", "--nagios")
    assert answer.exit_code == 3
    assert answer.stdout.startswith("STAFFELN UNKNOWN - ")
    assert "staffeln db upgrade" in answer.stdout


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STAFFELN_CLOUD_WORKERS", "many"),
        ("STAFFELN_CONFIG", "/nowhere/staffeln.toml"),
        ("STAFFELN_DATABASE_URL", "oracle://somewhere"),
        ("STAFFELN_DATABASE_URL", "sqlite:////proc/none.db"),
        ("STAFFELN_DATABASE_URL", "postgresql://127.0.0.1:1/none"),
    ],
)
def test_nagios_has_one_line_whatever_cannot_be_read(
    staffeln: Any, well: Any, name: str, value: str
) -> None:
    staffeln.environ[name] = value
    answer = staffeln("status", "--nagios")
    assert answer.exit_code == 3
    assert answer.stdout.startswith("STAFFELN UNKNOWN - ")
    assert len(answer.stdout.splitlines()) == 1


def test_prometheus_finds_a_whole_file_that_it_may_read(
    staffeln: Any, well: Any, tmp_path: Path
) -> None:
    file = tmp_path / "staffeln.prom"
    answer = staffeln("status", "--prometheus", str(file))
    assert (answer.exit_code, answer.stdout) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert "staffeln_volumes_protected 2\n" in file.read_text()
    assert staffeln("status", "--prometheus", "-").stdout.startswith("# HELP staffeln_info ")


def test_a_metrics_file_that_cannot_be_written_is_an_error(staffeln: Any, tmp_path: Path) -> None:
    answer = staffeln("status", "--prometheus", str(tmp_path / "none" / "x.prom"))
    assert answer.exit_code == 69
    assert "cannot be written" in answer.stderr


def test_a_database_without_schema_is_said_with_what_to_do(staffeln: Any, tmp_path: Path) -> None:
    staffeln.set(DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
    for view in ((), ("volumes",), ("backups",), ("projects",), ("runs",)):
        answer = staffeln("status", *view)
        assert answer.exit_code == 78
        assert "staffeln db upgrade" in answer.stderr
    assert not (tmp_path / "none.db").exists()


def test_status_needs_no_cloud_and_not_even_its_library(sqlite_url: str) -> None:
    program = (
        "import sys; from staffeln_cli.cli import staffeln; "
        "staffeln(['status', *sys.argv[1:]], standalone_mode=False); "
        "print([name for name in ('openstack', 'keystoneauth1', 'rich') if name in sys.modules])"
    )
    environ = {"STAFFELN_DATABASE_URL": sqlite_url, "OS_CLOUD": "nowhere", "PATH": ""}
    for view in ((), ("volumes",), ("backups",), ("projects",), ("runs",)):
        done = subprocess.run(
            [sys.executable, "-c", program, *view, "-f", "json"],
            env=environ,
            check=True,
            capture_output=True,
            text=True,
        )
        shown, imported = done.stdout.rsplit("\n", 2)[:2]
        assert json.loads(shown) is not None
        assert imported == "[]"
