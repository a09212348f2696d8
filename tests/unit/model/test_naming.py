"""Names of backups: legible, unique, and never longer than Cinder takes."""

from datetime import UTC, datetime

from staffeln_cli.model.naming import MOST_CHARACTERS, backup_name, called, restored_name

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_name_tells_server_volume_time_and_token() -> None:
    assert backup_name("web", "data", NOON, "t0") == "web_data_20261123T120000Z_t0"


def test_the_longest_names_are_cut_so_that_token_and_time_stay() -> None:
    name = backup_name("s" * 255, "v" * 255, NOON, "token")
    assert len(name) == MOST_CHARACTERS
    assert name.endswith("v_20261123T120000Z_token")
    assert backup_name("s" * 255, "v", NOON, "t").endswith("s_v_20261123T120000Z_t")


def test_a_volume_made_of_a_backup_is_named_for_what_it_was() -> None:
    restored = restored_name("orders", NOON, "5487ce1e-af19-422a-99aa-f31e78de5857")
    assert restored == "orders_restored_20261123T120000Z_5487ce1e"
    assert restored_name("", NOON, "5487ce1e").startswith("no-name_restored_")
    assert len(restored_name("v" * 255, NOON, "5487ce1e")) == MOST_CHARACTERS


def test_a_volume_is_called_by_its_name_and_whose_it_is() -> None:
    assert called("data", "web") == "data of web"
    assert called("", "") == "a volume without a name"
