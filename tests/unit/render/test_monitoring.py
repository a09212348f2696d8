"""The state for Nagios and for Prometheus."""

import re
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from staffeln_cli.errors import Unavailable
from staffeln_cli.model import State
from staffeln_cli.planning.estimates import Work
from staffeln_cli.planning.health import LastRun, Summary, Tally, findings
from staffeln_cli.render.monitoring import metrics, nagios, nagios_line, write
from tests.build import NOW

STATE = Summary(
    cloud='pr"od\\\n',
    generated_at=NOW,
    volumes=Tally(protected=7, overdue=2, oldest_success=NOW - timedelta(hours=1)),
    backups={State.AVAILABLE: 12},
    runs={"collect": LastRun(NOW, "ok", "h"), "check": LastRun(NOW, "partial", "h")},
    collected_at=NOW - timedelta(minutes=1),
    is_stale=False,
    worst=(),
)
EMPTY = Summary(None, NOW, Tally(), {}, {}, None, is_stale=False, worst=())


def test_nagios_reads_the_worst_first_then_the_figures() -> None:
    line = nagios(STATE, findings(STATE), critical=1, warning=1)
    text, data = line.split(" | ")
    assert text == (
        "STAFFELN CRITICAL - 2 of 7 protected volumes are overdue; the last check failed in part"
    )
    figures = data.split(" ")
    assert {"overdue=2;;1;0;7", "available=12;;;0", "failed=0;;;0"} <= set(figures)
    assert {"oldest_collect_age=60s;;;0", "oldest_backup_age=3600s;;;0"} <= set(figures)
    assert all(re.fullmatch(r"\w+=\d+s?;\d*;\d*;0(;\d+)?", one) for one in figures)


def test_prometheus_has_the_end_of_the_work_while_it_is_known() -> None:
    name = "staffeln_work_done_timestamp_seconds"
    work = Work(waiting=3, done_at=NOW + timedelta(hours=2))
    busy = replace(STATE, work=work)
    assert f"{name} {int(NOW.timestamp()) + 7200}\n" in metrics(busy, "3")
    assert name not in metrics(STATE, "3")


def test_a_good_state_is_one_ok_line() -> None:
    good = Summary("c", NOW, Tally(protected=2), {}, {}, NOW, is_stale=False, worst=())
    line = nagios(good, findings(good), critical=1, warning=1)
    assert line.startswith("STAFFELN OK - all 2 protected volumes have a recent backup | ")


def test_no_text_can_forge_performance_data_or_a_second_line() -> None:
    assert nagios_line("UNKNOWN", "a|b\nc") == "STAFFELN UNKNOWN - a/b c"


def test_metrics_are_well_formed_and_each_is_described_once() -> None:
    text = metrics(STATE, "3.0.0")
    sample = re.compile(r'staffeln_\w+(\{\w+="(\\.|[^"\\])*"(,\w+="(\\.|[^"\\])*")*\})? \d+')
    described = []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            described.append(line.split()[2])
        elif not line.startswith("# TYPE "):
            assert sample.fullmatch(line), line
            assert re.split(r"[ {]", line)[0] == described[-1]
    assert len(set(described)) == len(described)
    assert text.endswith("\n")
    assert 'staffeln_info{cloud="pr\\"od\\\\\\n",version="3.0.0"} 1' in text
    assert "staffeln_volumes_overdue 2\n" in text
    assert 'staffeln_backups{state="available"} 12' in text
    assert 'staffeln_backups{state="failed"} 0' in text
    assert 'staffeln_last_run_ok{command="check"} 0' in text


def test_what_is_not_known_yet_has_no_metric() -> None:
    text = metrics(EMPTY, "3.0.0")
    assert "last_run" not in text
    assert "oldest_success" not in text
    assert "last_collect" not in text


def test_a_file_is_replaced_at_once_and_readable_by_all(tmp_path: Path) -> None:
    file = tmp_path / "staffeln.prom"
    file.write_text("old")
    write(file, "new\n")
    assert file.read_text() == "new\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["staffeln.prom"]


def test_a_file_that_cannot_be_written_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(Unavailable, match="folder: cannot be written: "):
        write(tmp_path / "folder", "x")
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]
    with pytest.raises(Unavailable, match="nowhere/x: cannot be written: No such file"):
        write(tmp_path / "nowhere" / "x", "x")
