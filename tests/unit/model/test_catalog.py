from datetime import UTC, datetime, timedelta

from staffeln_cli.model.catalog import catalog_name, newest_catalog

NOW = datetime(2026, 11, 27, 20, tzinfo=UTC)


def test_the_newest_catalog_of_a_folder_is_told_by_its_name() -> None:
    names = [catalog_name(NOW - timedelta(days=days), "ab12") for days in (3, 0, 1)]
    assert newest_catalog(names) == (names[1], NOW)


def test_what_has_another_name_is_no_catalog() -> None:
    others = ["other.jsonl.gz", "staffeln-catalog-yesterday.jsonl.gz", ".staffeln-catalog-x"]
    assert newest_catalog(others) is None
