"""Log lines: whatever is in a name or a reason, a line stays one line and acts on no terminal."""

import json
import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.cli.log_format import JsonFormat, LogFile, TextFormat
from staffeln_cli.errors import ConfigError

HOSTILE = "disk\x1b[2J\x9b1m\u202e full\r\n2026-01-01T00:00:00Z ERROR forged"
ACTING = {"\x1b", "\x9b", "\u202e", "\r"}
SECRET = "postgresql://me:hu@sh4711@db/state"


def a_line(message: str, **more: object) -> logging.LogRecord:
    record = logging.makeLogRecord({"msg": "backup %s", "args": (message,), "levelname": "ERROR"})
    record.__dict__.update(more)
    return record


def failed(message: str) -> logging.LogRecord:
    try:
        raise ValueError(message)
    except ValueError as error:
        return a_line("x", exc_info=(type(error), error, error.__traceback__))


def test_a_text_line_is_one_line_without_controls() -> None:
    line = TextFormat().format(a_line(HOSTILE, run="r1"))
    assert "\n" not in line
    assert not ACTING & set(line)
    assert "ERROR r1 backup disk?[2J?1m? full 2026-01-01T00:00:00Z ERROR forged" in line


@given(st.text(st.characters()))
def test_no_text_breaks_out_of_a_line_of_either_shape(text: str) -> None:
    assert TextFormat().format(a_line(text)).isprintable()
    line = JsonFormat().format(a_line(text))
    assert not ACTING & set(line)
    assert "\n" not in line
    assert json.loads(line)["message"] == f"backup {text}"


def test_a_traceback_is_indented_so_that_none_of_it_looks_like_a_line_of_the_log() -> None:
    first, *more = TextFormat().format(failed(HOSTILE)).split("\n")
    assert first.endswith("backup x")
    assert all(line.startswith("    ") for line in more)
    assert not ACTING & set("".join(more))


@pytest.mark.parametrize("shape", [TextFormat, JsonFormat])
def test_a_traceback_shows_no_secret_of_a_url(shape: type[TextFormat | JsonFormat]) -> None:
    shown = shape([SECRET]).format(failed("no host sh4711@db"))
    assert "sh4711" not in shown
    assert "ValueError: no host ***@db" in shown


@pytest.mark.parametrize("shape", [TextFormat, JsonFormat])
def test_a_report_keeps_its_lines(shape: type[TextFormat | JsonFormat]) -> None:
    shown = shape().format(a_line("x", text="Report\n\n  volume  size\x1b"))
    assert "  volume  size\\u001b" in shown


def test_a_full_disk_is_one_sentence_and_ends_nothing() -> None:
    said: list[str] = []
    log = LogFile(Path("/dev/full"), said.append)
    for _ in range(3):
        log.handle(a_line("x"))
    log.close()
    assert said == ["log.file: /dev/full: cannot be written: No space left on device"]


def test_a_log_whose_folder_is_taken_away_ends_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    folder = tmp_path / "log"
    folder.mkdir()
    log = LogFile(folder / "staffeln.log", said.append)
    (folder / "staffeln.log").unlink()
    folder.rmdir()
    log.handle(a_line("x"))
    log.close()
    assert said == [
        f"log.file: {folder}/staffeln.log: cannot be written: No such file or directory"
    ]


def test_a_log_that_cannot_be_opened_is_a_mistake_in_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"log\.file: .*: cannot be written: Is a directory"):
        LogFile(tmp_path, print)
