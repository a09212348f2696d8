"""The example file that `config init` writes."""

import dataclasses
import re
from datetime import timedelta
from pathlib import Path

import pytest

from staffeln_cli.config import Settings, load
from staffeln_cli.config.example import as_toml, example, plain
from staffeln_cli.config.load import keys
from staffeln_cli.config.settings import CloudSettings
from staffeln_cli.model.durations import Duration
from staffeln_cli.planning.retention.policy import Policy


def uncommented() -> str:
    return re.sub(r"^#(?=\w+ = )", "", example(), flags=re.MULTILINE)


def test_the_example_as_it_is_means_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "staffeln.toml"
    file.write_text(example())
    assert load(file, {}).settings == Settings()


def test_the_example_with_every_key_uncommented_means_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "staffeln.toml"
    file.write_text(uncommented())
    loaded = load(file, {})
    assert loaded.settings == Settings()
    set_by_default = {name for name in keys() if _default(name) is not None}
    assert set(loaded.sources) == set_by_default


def _default(name: str) -> object:
    section, key = name.split(".")
    return getattr(getattr(Settings(), section), key)


@pytest.mark.parametrize("name", keys())
def test_every_key_is_in_the_example_and_explained(name: str) -> None:
    section, key = name.split(".")
    part = re.split(rf"^\[{section}\].*\n", example(), flags=re.MULTILINE)[1]
    part = re.split(r"^\[", part, flags=re.MULTILINE)[0]
    assert re.search(rf"^# \S.*\n#(?: {key} is not set|{key} = )", part, re.MULTILINE)


def test_the_policy_of_the_example_is_one(tmp_path: Path) -> None:
    (line,) = re.findall(r"^# for example: (.*)$", example(), re.MULTILINE)
    file = tmp_path / "staffeln.toml"
    file.write_text(f"[retention]\n{line}\n")
    assert load(file, {}).settings.retention.policies["gfs"].daily == 7


def test_lines_fit_on_a_screen() -> None:
    assert max(map(len, example().splitlines())) <= 110


def test_values_are_written_as_the_file_has_them() -> None:
    assert as_toml('a "b"') == '"a \\"b\\""'
    assert as_toml(True) == "true"
    assert as_toml(timedelta(minutes=90)) == '"1h30min"'
    assert as_toml(("a", "b")) == '["a", "b"]'
    policy = Policy(daily=7, time=Duration(exact=timedelta(days=2)))
    assert plain({"gfs": policy}) == {"gfs": {"daily": 7, "time": "2d"}}
    assert plain(Path("/x")) == "/x"


def test_every_section_says_what_it_is_about() -> None:
    for part in dataclasses.fields(Settings):
        assert re.search(rf"^\[{part.name}\]  # \w", example(), re.MULTILINE)
    assert str(CloudSettings.__doc__) in example()
