"""The backups of some volumes at a time."""

from staffeln_cli.planning.chains.members import several_volumes
from tests.build import a_backup


def test_a_volume_is_whole_in_its_group_although_pages_end_within_it() -> None:
    rows = [a_backup(f"{volume}{day}", volume_id=volume) for volume in "abc" for day in range(3)]
    pages = [rows[:2], rows[2:5], rows[5:]]
    groups = [
        {volume: len(backups) for (_, volume), backups in group.items()}
        for group in several_volumes(pages, 2)
    ]
    assert groups == [{"a": 3, "b": 3}, {"c": 3}]


def test_a_cloud_without_backups_has_no_group() -> None:
    assert list(several_volumes([[], []], 2)) == []
