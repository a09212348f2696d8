"""What only locks that are files promise."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from staffeln_cli.errors import ConfigError, LockServiceUnavailable
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


def test_a_folder_that_everybody_can_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with (
        pytest.raises(ConfigError, match=r"lock\.url: .* can be written by everybody"),
        held(f"file://{tmp_path}", "leader", owner="me", lease=LEASE),
    ):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_or_a_link_of_another_user_is_refused(tmp_path: Path) -> None:
    stranger = os.geteuid() + 4711
    ours, theirs, link = tmp_path / "ours", tmp_path / "theirs", tmp_path / "link"
    ours.mkdir()
    theirs.mkdir()
    link.symlink_to(ours)
    os.chown(theirs, stranger, -1)
    os.chown(link, stranger, -1, follow_symlinks=False)
    for folder in (theirs, link):
        with (
            pytest.raises(ConfigError, match=f"{folder}: belongs to the user with the number"),
            held(f"file://{folder}", "leader", owner="me", lease=LEASE),
        ):
            pass


def test_a_link_in_place_of_the_holders_name_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "leader.holder").symlink_to(tmp_path / "victim")
    with held(f"file://{tmp_path}", "leader", owner="me", lease=LEASE):
        assert (tmp_path / "victim").read_text() == "precious"
