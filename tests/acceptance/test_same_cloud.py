"""A database belongs to one Keystone and one Cinder endpoint; in another cloud all looks gone."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import BrakeApplied, CloudUnavailable, ConfigError, WrongCloud
from tests.acceptance.builders import a_volume, rounds, some_volumes, volumes
from tests.conftest import Staffeln

CYCLE = ("collect", "backup", "check", "retain")


def without_region(cloud: SimCloud, tmp_path: Path) -> None:
    """A clouds.yaml that names no region."""
    text = cloud.clouds_yaml().replace("    region_name: RegionOne\n", "")
    (tmp_path / "clouds.yaml").write_text(text)


def bound(staffeln: Staffeln, statement: str) -> list[tuple[object, ...]]:
    """What a statement on the database's own note of the cloud gives."""
    engine = create_engine(staffeln.environ["STAFFELN_DATABASE_URL"])
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        rows = [tuple(row) for row in result] if result.returns_rows else []
    engine.dispose()
    return rows


@pytest.mark.parametrize("order", [("RegionOne", "RegionTwo"), ("RegionTwo", "RegionOne")])
def test_several_regions_and_none_configured_is_a_question_for_the_operator(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path, order: tuple[str, ...]
) -> None:
    some_volumes(cloud, 2)
    without_region(cloud, tmp_path)
    cloud.settings.regions = order
    for command in CYCLE:
        answer = staffeln(command)
        assert answer.exit_code == ConfigError.exit_code
        assert "cloud.region" in answer.stderr
        assert "RegionOne, RegionTwo" in answer.stderr


def test_a_second_region_that_appears_changes_nothing(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    some_volumes(cloud, 2)
    without_region(cloud, tmp_path)
    assert staffeln("collect").exit_code == 0
    cloud.settings.regions = ("RegionTwo", "RegionOne")
    assert staffeln("collect").exit_code == ConfigError.exit_code
    staffeln.set(CLOUD_REGION="RegionTwo")
    answer = staffeln("collect")
    assert answer.exit_code == WrongCloud.exit_code
    assert "its region is RegionOne, not RegionTwo" in answer.stderr
    assert all(one["protected"] for one in volumes(staffeln).values())
    staffeln.set(CLOUD_REGION="RegionOne")
    assert staffeln("collect").exit_code == 0


def test_a_service_of_another_type_at_the_same_url_is_the_same_cloud(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    a_volume(cloud)
    staffeln("collect")
    for kind in ("block-storage", "volume", "volumev3"):
        cloud.settings.catalogue_type = kind
        for command in CYCLE:
            assert staffeln(command).exit_code == 0


@pytest.mark.parametrize("url", ["/identity", "/identity/", "/identity/v3/"])
def test_keystone_may_be_spelled_in_several_ways(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path, url: str
) -> None:
    staffeln("collect")
    spelled = cloud.clouds_yaml().replace("/identity/v3", url)
    (tmp_path / "clouds.yaml").write_text(spelled)
    assert staffeln("collect").exit_code == 0


@pytest.mark.parametrize("command", CYCLE)
def test_a_catalogue_without_cinder_binds_no_database(
    cloud: SimCloud, staffeln: Staffeln, command: str
) -> None:
    cloud.settings.catalogue_lacks = frozenset({"volumev3"})
    answer = staffeln(command)
    assert answer.exit_code == CloudUnavailable.exit_code
    assert "no block-storage service" in answer.stderr
    assert bound(staffeln, "SELECT * FROM cloud") == []
    cloud.settings.catalogue_lacks = frozenset()
    assert staffeln(command).exit_code == 0


def test_cinder_at_another_url_is_another_cloud(cloud: SimCloud, staffeln: Staffeln) -> None:
    some_volumes(cloud, 2)
    staffeln("collect")
    cloud.settings.cinder_host = "localhost"
    for command in CYCLE:
        answer = staffeln(command)
        assert answer.exit_code == WrongCloud.exit_code
        assert f"its Cinder is {cloud.url}/volume/v3, not http://localhost" in answer.stderr
        assert "staffeln db rebind" in answer.stderr
    cloud.settings.cinder_host = "127.0.0.1"
    assert staffeln("backup", "-f", "json").counts["started"] == 2


def test_a_rebind_shows_what_is_found_there_and_is_done_when_confirmed(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    ids = some_volumes(cloud, 3)
    rounds(staffeln, cloud, 1)
    cloud.settings.cinder_host = "localhost"
    cloud.things.remove_backup(cloud.backups(volume_id=ids[0])[0]["id"], force=True)
    cloud.things.remove_volume(ids[0])
    looked = staffeln("db", "rebind", "-f", "json")
    assert looked.exit_code == BrakeApplied.exit_code
    numbers = ("volumes", "volumes_found", "backups", "backups_found")
    assert [looked.json[name] for name in numbers] == [3, 2, 3, 2]
    assert looked.json["differences"][0].startswith("its Cinder is ")
    assert staffeln("collect").exit_code == WrongCloud.exit_code
    done = staffeln("db", "rebind", "--yes")
    assert (done.exit_code, "2 of 3 known" in done.stdout) == (0, True)
    assert staffeln("collect").exit_code == 0


def test_a_database_of_the_first_release_is_recognised_and_upgraded(
    cloud: SimCloud, staffeln_on_each: Staffeln
) -> None:
    staffeln_on_each("collect")
    bound(staffeln_on_each, "UPDATE cloud SET block_storage_url = NULL, identity = 'cinderv3'")
    cloud.settings.catalogue_type = "block-storage"  # upgraded at the same time as Staffeln
    assert staffeln_on_each("collect").exit_code == 0
    seen = bound(staffeln_on_each, "SELECT identity, block_storage_url FROM cloud")
    assert seen == [("cinder", f"{cloud.url}/volume/v3")]


@pytest.mark.parametrize(
    "change", ["identity = 'x', auth_url = 'http://other/v3'", "region = 'RegionTwo'"]
)
def test_a_database_of_the_first_release_from_another_cloud_is_refused(
    staffeln: Staffeln, change: str
) -> None:
    staffeln("collect")
    bound(staffeln, f"UPDATE cloud SET block_storage_url = NULL, {change}")
    assert staffeln("collect").exit_code == WrongCloud.exit_code
