"""`config metadefs`: what dashboards offer is what collect and retain understand."""

import re
from typing import Any

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import durations
from tests.acceptance.builders import a_volume, volumes
from tests.conftest import Staffeln

POLICIES = '{"gfs": {"last": 3, "daily": 7, "time": "2d"}, "short": {"time": "1w"}}'


def properties(staffeln: Staffeln, *options: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = staffeln("config", "metadefs", *options).json["properties"]
    return found


def test_the_namespace_has_the_keys_that_are_configured(staffeln: Staffeln) -> None:
    staffeln.set(SELECT_METADATA_KEY="backup", RETENTION_METADATA_KEY="keep")
    staffeln.set(SELECT_SKIP_VOLUME_KEY="skip")
    namespace = staffeln("config", "metadefs").json
    assert list(namespace["properties"]) == ["backup", "skip", "keep"]
    resources = {one["name"] for one in namespace["resource_type_associations"]}
    assert resources == {"OS::Nova::Server", "OS::Cinder::Volume"}
    for definition in namespace["properties"].values():
        assert {"title", "description", "type"} <= set(definition)
        assert definition["default"] in definition.get("enum", [definition["default"]])


def test_where_every_server_is_backed_up_there_is_no_key_for_it(staffeln: Staffeln) -> None:
    staffeln.set(SELECT_METADATA_KEY="")
    assert list(properties(staffeln)) == ["skip-volume-backup", "__staffeln_retention"]


def test_the_configured_policies_are_the_choices_and_are_described(staffeln: Staffeln) -> None:
    staffeln.set(RETENTION_POLICIES=POLICIES, RETENTION_MINIMUM="1d")
    retention = properties(staffeln, "--choice", "3mon", "--choice", "gfs")["__staffeln_retention"]
    assert (retention["enum"], retention["default"]) == (["gfs", "short", "3mon"], "gfs")
    for text in (
        "gfs: the last 3, 7 daily, everything for 2d.",
        "short: everything for 1w.",
        "Never less than 1d.",
        "Without it: 2w3d.",
    ):
        assert text in retention["description"]


def test_without_policies_any_duration_can_be_typed(staffeln: Staffeln) -> None:
    retention = properties(staffeln)["__staffeln_retention"]
    assert "enum" not in retention
    for text in ("1y2mon3w4d5h6min7s", "20min", retention["default"]):
        assert re.search(retention["pattern"], text)
        durations.parse(text)
    for text in ("", "soon", "2ww", "3"):
        assert not re.search(retention["pattern"], text)


def test_each_choice_is_a_retention_that_collect_understands(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(RETENTION_POLICIES=POLICIES)
    offered = properties(staffeln, "--choice", "3mon")
    names = offered["__staffeln_retention"]["enum"]
    mark = {"__staffeln_backup": offered["__staffeln_backup"]["default"]}
    for name in names:
        a_volume(cloud, name, metadata=mark | {"__staffeln_retention": name})
    staffeln("collect")
    rows = volumes(staffeln).values()
    assert sorted(row["retention"] for row in rows) == sorted(names)
    assert {row["bad_retention"] for row in rows} == {None}


@pytest.mark.parametrize("choice", ["2ww", "", "gfs"])
def test_a_choice_that_is_no_retention_is_wrong_usage(staffeln: Staffeln, choice: str) -> None:
    answer = staffeln("config", "metadefs", "--choice", choice)
    assert (answer.exit_code, "--choice" in answer.stderr) == (2, True)
