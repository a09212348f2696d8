"""The keys of the configuration and their defaults are the recorded ones (see `recording.py`)."""

import json
from pathlib import Path

from tests.conftest import Staffeln
from tests.contract.recording import compare


def test_the_keys_of_the_configuration_and_their_defaults_are_as_recorded(
    tmp_path: Path,
) -> None:
    empty = tmp_path / "staffeln.toml"
    empty.touch()
    staffeln = Staffeln({}, clock=None)

    answer = staffeln("--config", str(empty), "config", "check", "-f", "json")

    settings = answer.json["settings"]

    lines = [f"{one['key']} = {json.dumps(one['value'])}  # {one['source']}" for one in settings]
    compare("configuration.txt", "".join(f"{line}\n" for line in lines))
