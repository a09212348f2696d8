"""What a volume's own metadata ask for comes before what its server's do."""

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume, backed_up, volumes
from tests.build import MARKED
from tests.conftest import Staffeln

KEY, RETENTION = "__staffeln_backup", "__staffeln_retention"


def a_loose_volume(cloud: SimCloud, **metadata: str) -> str:
    """A volume that no server uses."""
    cloud.people.add_project("lab")
    return cloud.things.add_volume("loose", project="lab", metadata=metadata)


def explained(staffeln: Staffeln, volume: str) -> str:
    return " ".join(staffeln("explain", volume, "--offline").stdout.split())


def test_a_volume_that_no_server_uses_can_ask_for_backups(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    loose = a_loose_volume(cloud, **{KEY: "True"})
    cloud.things.add_volume("unmarked", project="lab")
    assert backed_up(staffeln, cloud).counts["available"] == 1
    assert [one["volume_id"] for one in cloud.backups()] == [loose]
    assert "It is protected (the volume's own metadata decide)" in explained(staffeln, loose)


@pytest.mark.parametrize(
    ("server", "own", "protected", "said"),
    [
        (MARKED, "false", False, "marked with __staffeln_backup=false (the volume's own"),
        ({}, "true", True, "protected (the volume's own metadata decide)"),
        (MARKED, "perhaps", True, "protected (its server's metadata decide)"),
        ({}, "perhaps", False, "its server is not marked (its server's metadata decide)"),
    ],
)
def test_the_volume_comes_before_its_server(
    cloud: SimCloud,
    staffeln: Staffeln,
    server: dict[str, str],
    own: str,
    protected: bool,
    said: str,
) -> None:
    volume = a_volume(cloud, metadata=server)
    cloud.things.set_volume(volume, metadata={KEY: own})
    staffeln("collect")
    assert volumes(staffeln)[volume]["protected"] is protected
    assert said in explained(staffeln, volume)


def test_its_own_retention_comes_before_its_servers(cloud: SimCloud, staffeln: Staffeln) -> None:
    volume = a_volume(cloud, metadata=MARKED | {RETENTION: "9w"})
    cloud.things.set_volume(volume, metadata={RETENTION: "30d"})
    staffeln("collect")
    assert volumes(staffeln)[volume]["retention"] == "30d"
    assert "(the volume's own metadata decide)" in explained(staffeln, volume)
    cloud.things.set_volume(volume, metadata={})
    staffeln("collect")
    assert volumes(staffeln)[volume]["retention"] == "9w"
    assert "9w (its server's metadata decide)" in explained(staffeln, volume)


def test_a_retention_of_its_own_that_is_not_valid_shortens_nothing(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    volume = a_volume(cloud)
    cloud.things.set_volume(volume, metadata={RETENTION: "9w"})
    staffeln("collect")
    cloud.things.set_volume(volume, metadata={RETENTION: "9 weeks"})
    staffeln("collect")
    assert volumes(staffeln)[volume]["retention"] == "9w"
    assert "9 weeks" in explained(staffeln, volume)


def test_without_its_own_retention_a_loose_volume_has_the_default(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    loose = a_loose_volume(cloud, **{KEY: "true", RETENTION: "9w"})
    staffeln("collect")
    cloud.things.set_volume(loose, metadata={KEY: "true"})
    staffeln("collect")
    assert volumes(staffeln)[loose]["retention"] == "2w3d"
    assert "(the configuration decides)" in explained(staffeln, loose)


def test_the_mark_of_a_volume_is_taken_back_like_that_of_a_server(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    loose = a_loose_volume(cloud, **{KEY: "true"})
    staffeln("collect")
    cloud.things.set_volume(loose, metadata={})
    staffeln("collect")
    assert volumes(staffeln)[loose]["skip_reason"] == "not attached to a server"
    assert volumes(staffeln)[loose]["protected"] is False
