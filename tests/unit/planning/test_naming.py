"""Names of backups: legible, unique, and never longer than Cinder takes."""

from datetime import UTC, datetime

from staffeln_cli.planning.naming import MOST_CHARACTERS, backup_name, called, plain

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_name_tells_server_volume_time_and_token() -> None:
    assert backup_name("web", "data", NOON, "t0") == "web_data_20261123T120000Z_t0"


def test_the_longest_names_are_cut_so_that_token_and_time_stay() -> None:
    name = backup_name("s" * 255, "v" * 255, NOON, "token")
    assert len(name) == MOST_CHARACTERS
    assert name.endswith("v_20261123T120000Z_token")
    assert backup_name("s" * 255, "v", NOON, "t").endswith("s_v_20261123T120000Z_t")


def test_what_a_line_or_a_three_byte_column_cannot_hold_is_replaced() -> None:
    assert plain("a\nb\u200bc\U0001f600d\u00a0e") == "a?b?c?d e"
    assert plain("Größe ") == "Größe"


def test_a_volume_is_called_by_its_name_and_whose_it_is() -> None:
    assert called("data", "web") == "data of web"
    assert called("", "") == "a volume without a name"
