"""What `-f json` and `-f csv` print has the recorded keys and types (see `recording.py`).

The record is the union over a history with successes and failures (see `history.py`).
"""

from pathlib import Path
from typing import Any

import click
import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.conftest import Staffeln
from tests.contract.commands import all_commands
from tests.contract.history import Heard, told
from tests.contract.recording import compare
from tests.contract.shapes import shape

_NEEDED = {"report": ("--evidence",)}
"""Options without which a command has no CSV."""


def test_the_keys_and_types_in_json_are_as_recorded(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    heard = told(cloud, staffeln, tmp_path)

    silent = _commands_with("json") - {_command(name) for name in heard.documents}
    assert not silent, "the history lacks these commands, which can print JSON"
    compare("json.txt", "\n".join(_section(heard, name) for name in sorted(heard.documents)))


def test_the_columns_in_csv_are_as_recorded(staffeln: Staffeln) -> None:
    headers = {
        name: staffeln(*name.split(), *_NEEDED.get(name, ()), "-f", "csv").stdout
        for name in _commands_with("csv")
    }

    compare("csv.txt", "".join(f"{name}: {headers[name]}" for name in sorted(headers)))


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([[]], [".: list"]),
        ([1, None], [".: int | null"]),
        ([{"a": True}, {"a": 1.5}], [".: object", ".a: bool | float"]),
        ([{"a": "x"}, {}], [".: object", ".a: str (optional)"]),
        ([[{"a": 1}, {}]], [".: list", "[]: object", "[].a: int (optional)"]),
        ([{"a": None}, {"a": {"b": 1}}], [".: object", ".a: null | object", ".a.b: int"]),
    ],
)
def test_a_shape_is_the_union_of_all_documents(documents: list[Any], expected: list[str]) -> None:
    assert shape(documents) == expected


def _section(heard: Heard, name: str) -> str:
    codes = ", ".join(map(str, sorted(heard.exit_codes[name])))
    lines = (f"$ staffeln {name}", f"exit codes: {codes}", *shape(heard.documents[name]))
    return "".join(f"{line}\n" for line in lines)


def _command(name: str) -> str:
    """The command in a name such as `retain --dry-run` or `run (the cloud is down)`."""
    return name.partition(" (")[0].partition(" -")[0]


def _commands_with(shape_: str) -> set[str]:
    """The commands that can print in this shape."""
    return {
        " ".join(path)
        for path, command in all_commands()
        for option in command.params
        if isinstance(option.type, click.Choice) and shape_ in option.type.choices
        if "--format" in option.opts
    }
