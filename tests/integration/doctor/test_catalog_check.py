"""What doctor says of the catalog."""

from pathlib import Path
from typing import Any

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.store import Store
from tests.conftest import Staffeln


def found(staffeln: Staffeln) -> list[dict[str, Any]]:
    return [one for one in staffeln("doctor", "-f", "json").json if one["name"] == "catalog"]


def test_a_fresh_catalog_is_fine_but_on_the_clouds_own_host_it_may_be_lost_with_it(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    assert [one["level"] for one in found(staffeln)] == ["ok"]
    folder = tmp_path / "catalogs"
    staffeln.set(CATALOG_PATH=str(folder))
    assert "no catalog yet" in found(staffeln)[0]["text"]
    folder.mkdir()
    staffeln("catalog", "save", str(folder))
    fresh, together = found(staffeln)
    assert fresh["level"] == "ok"
    assert (together["level"], "lost together" in together["text"]) == ("warning", True)


def test_a_catalog_older_than_two_days_is_a_warning(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    staffeln.set(CATALOG_PATH=str(tmp_path))
    staffeln("catalog", "save", str(tmp_path))
    cloud.advance(days=3)
    old = found(staffeln)[0]
    assert old["level"] == "warning"
    assert "3 d ago" in old["text"]


def test_a_host_that_an_import_left_disabled_is_named(
    cloud: SimCloud, staffeln: Staffeln, sqlite_url: str
) -> None:
    store = Store(sqlite_url)
    store.disabled_hosts.note("second", "an import", cloud.now())
    store.close()
    named = found(staffeln)[0]
    assert named["level"] == "warning"
    assert "second" in named["text"]
