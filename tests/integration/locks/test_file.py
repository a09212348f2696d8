"""What only locks that are files promise."""

from datetime import timedelta
from pathlib import Path

import pytest

from staffeln_cli.errors import LockServiceUnavailable
from staffeln_cli.locks import held

LEASE = timedelta(seconds=2)


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with held(f"file://{tmp_path}/locks", "leader", owner="me", lease=LEASE):
        assert (tmp_path / "locks").stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(LockServiceUnavailable, match="folder is writable"),
        held(f"file://{tmp_path}/file/locks", "leader", owner="me", lease=LEASE),
    ):
        pass


def test_a_folder_that_is_not_writable_is_unavailable() -> None:
    with (
        pytest.raises(LockServiceUnavailable, match="folder is writable"),
        held("file:///proc/staffeln", "leader", owner="me", lease=LEASE),
    ):
        pass


def test_a_lock_whose_file_was_removed_is_not_held_any_more(tmp_path: Path) -> None:
    with held(f"file://{tmp_path}", "leader", owner="me", lease=LEASE) as lock:
        (tmp_path / "leader.lock").unlink()
        assert not lock.still_held()
        with held(f"file://{tmp_path}", "leader", owner="other", lease=LEASE) as other:
            assert not lock.still_held()
            assert other.still_held()
