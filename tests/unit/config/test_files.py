"""Files that an operator hands over: found, read, and refused if a stranger could change them."""

import os
from pathlib import Path

import pytest

from staffeln_cli.config import load
from staffeln_cli.config.files import find_file, read_trusted, refuse_foreign, refuse_replacing
from staffeln_cli.errors import ConfigError

A_STRANGER = os.geteuid() + 4711
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "staffeln.toml").write_text("cloud.workers = 3\n")
    return folder / "staffeln.toml"


def test_a_file_of_ours_is_read(file: Path) -> None:
    assert load(file, {}).settings.cloud.workers == 3


def test_what_a_stranger_owns_is_refused_with_both_numbers(file: Path) -> None:
    with pytest.raises(ConfigError, match=rf"number {A_STRANGER}; .* number {os.geteuid()}$"):
        refuse_foreign(file, A_STRANGER)
    refuse_foreign(file, 0)
    refuse_foreign(file)


@as_root
@pytest.mark.parametrize("whose", ["staffeln.toml", "."])
def test_a_file_that_a_stranger_could_change_is_not_read(file: Path, whose: str) -> None:
    os.chown(file.parent / whose, A_STRANGER, -1)
    with pytest.raises(ConfigError, match=r"belongs to the user with the number"):
        load(file, {})


@as_root
def test_a_link_of_ours_to_a_folder_of_a_stranger_is_not_followed(
    file: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    assert read_trusted(link)
    os.chown(file.parent, A_STRANGER, -1)
    with pytest.raises(ConfigError, match=rf"{file.parent}: belongs to"):
        read_trusted(link)


def test_a_place_that_cannot_be_looked_at_is_a_sentence() -> None:
    """A name that is too long fails as a folder that may not be entered does, for root, too."""
    with pytest.raises(ConfigError, match="whether it exists cannot be told: File name too long"):
        find_file(None, {}, candidates=[Path("nowhere"), Path("x" * 300)])


def test_a_file_without_an_end_is_not_read_to_it() -> None:
    with pytest.raises(ConfigError, match="is longer than 1 MiB"):
        load(Path("/dev/zero"), {})


def test_what_is_no_file_is_not_replaced_by_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    for usable in (tmp_path / "file", tmp_path / "nothing", tmp_path):
        refuse_replacing(usable)
    with pytest.raises(OSError, match="is no regular file"):
        refuse_replacing(tmp_path / "pipe")
