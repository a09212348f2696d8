"""`staffeln config init` and `staffeln config check`."""

import grp
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from staffeln_cli.cli import staffeln as command_line
from staffeln_cli.cli.session import Session
from staffeln_cli.commands import config


def run(*arguments: str, **environ: str) -> Any:
    session = Session(environ={f"STAFFELN_{name}": value for name, value in environ.items()})
    return CliRunner().invoke(command_line, arguments, obj=session, catch_exceptions=False)


def value_of(answer: Any, key: str) -> tuple[object, str]:
    (found,) = [one for one in json.loads(answer.stdout)["settings"] if one["key"] == key]
    return found["value"], found["source"]


def test_the_example_is_written_for_its_owner_alone_and_checks(tmp_path: Path) -> None:
    file = tmp_path / "staffeln.toml"
    before = os.umask(0)
    try:
        assert run("config", "init", "--output", str(file)).exit_code == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run("--config", str(file), "config", "check").exit_code == 0


def test_root_hands_the_example_to_the_group_of_the_passes_and_nobody_else(tmp_path: Path) -> None:
    is_root = os.geteuid() == 0
    file = tmp_path / "staffeln.toml"
    group = grp.getgrgid(os.getgid()).gr_name
    said = config.init(file, group=group)
    assert stat.S_IMODE(file.stat().st_mode) == (0o640 if is_root else 0o600)
    assert (group if is_root else "only its owner") in said
    other = tmp_path / "other.toml"
    said = config.init(other, group="no-such-group")
    assert stat.S_IMODE(other.stat().st_mode) == 0o600
    assert ("chgrp GROUP" if is_root else "only its owner") in said


def test_a_configuration_of_staffeln_2_becomes_one_that_checks(tmp_path: Path) -> None:
    old, new = tmp_path / "staffeln.conf", tmp_path / "staffeln.toml"
    old.write_text("[conductor]\nretention_time = 3w\nbackup_workers = 4\n")
    answer = run("config", "import", str(old))
    assert answer.exit_code == 0
    assert "# [conductor] backup_workers: " in answer.stdout
    new.write_text(answer.stdout)
    checked = run("--config", str(new), "config", "check", "-f", "json")
    assert value_of(checked, "retention.time") == ("3w", "file")
    old.write_text("[conductor]\nretention_time = soon\n")
    assert run("config", "import", str(old)).exit_code == 78


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "staffeln.toml"
    file.write_text("mine")
    answer = run("config", "init", "--output", str(file))
    assert answer.exit_code == 2
    assert f"{file}: cannot be written: File exists" in answer.stderr
    assert file.read_text() == "mine"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    answer = run("config", "init", "--output", str(tmp_path / "none" / "x.toml"))
    assert answer.exit_code == 2
    assert "No such file or directory" in answer.stderr


def test_the_example_goes_where_the_configuration_is_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run("--config", str(tmp_path / "mine.toml"), "config", "init")
    run("config", "init")
    assert {one.name for one in tmp_path.iterdir()} == {"mine.toml", "staffeln.toml"}
    assert run("config", "init", "--output", "-").stdout == Path("mine.toml").read_text()


def test_check_tells_where_each_value_came_from_and_hides_passwords(tmp_path: Path) -> None:
    file = tmp_path / "staffeln.toml"
    file.write_text('[cloud]\nworkers = 4\n[database]\nurl = "postgresql://u:geheim@h/d"\n')
    arguments = ("--config", str(file), "--os-cloud", "prod", "config", "check", "-f", "json")
    answer = run(*arguments, RETENTION_TIME="30d", LOCK_URL="redis://:geheim@h")
    assert answer.exit_code == 0
    assert value_of(answer, "cloud.workers") == (4, "file")
    assert value_of(answer, "cloud.name") == ("prod", "--os-cloud")
    assert value_of(answer, "retention.time") == ("30d", "STAFFELN_RETENTION_TIME")
    assert value_of(answer, "retention.keep_last") == (1, "default")
    assert value_of(answer, "database.url") == ("postgresql://u:***@h/d", "file")
    table = run("--config", str(file), "config", "check", LOCK_URL="redis://:geheim@h").stdout
    assert table.splitlines()[0] == f"file: {file}"
    assert "geheim" not in answer.stdout + table


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "staffeln.toml"
    file.write_text('[cloud]\nworkers = "x"\ncolour = 1\n')
    answer = run("--config", str(file), "config", "check", BACKUP_TIMEOUT="soon")
    assert (answer.exit_code, answer.stdout) == (78, "")
    assert len(answer.stderr.splitlines()) == 3


def test_urls_are_looked_into_and_nobody_is_asked(tmp_path: Path) -> None:
    answer = run("config", "check", DATABASE_URL="mysql://x/y", LOCK_URL="gopher://x")
    assert answer.exit_code == 78
    assert "database.url: mysql:// is not supported" in answer.stderr
    assert "lock.url" in answer.stderr
    assert run("config", "check", LOCK_URL="redis://127.0.0.1:1/0").exit_code == 0


def test_a_key_with_its_old_name_is_shown_as_such(tmp_path: Path) -> None:
    file = tmp_path / "staffeln.toml"
    file.write_text("retain.time_budget = '1min'")
    answer = run("--config", str(file), "config", "check", "-f", "json")
    source = "file, by its old name retain.time_budget"
    assert value_of(answer, "retention.time_budget") == ("1min", source)
