"""Files that an operator hands over: found, read, and refused if a stranger could change them."""

import errno
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO

from staffeln_cli.errors import ConfigError

CANDIDATES = (Path("staffeln.toml"), Path("/etc/staffeln/staffeln.toml"))

_LONGEST = 1 << 20
"""Bytes of a file: a device may never end."""


def find_file(
    option: Path | None, environ: Mapping[str, str], candidates: Iterable[Path] = CANDIDATES
) -> Path | None:
    """The file to read: the option, else STAFFELN_CONFIG, else the first candidate that exists."""
    if option is not None:
        return option
    if environ.get("STAFFELN_CONFIG"):
        return Path(environ["STAFFELN_CONFIG"])
    return next((path for path in candidates if _exists(path)), None)


def read_trusted(path: Path) -> bytes:
    """The content of a file whose owner, like its folder's, is root or the user of this process.

    Anybody else who may write there could have root do things: such a file is a ConfigError.
    """
    try:
        with path.open("rb") as file:
            for folder in {path.parent, path.resolve().parent}:
                refuse_foreign(folder)
            refuse_foreign(path, os.fstat(file.fileno()).st_uid)
            return _content(file)
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error


def read_secret(path: Path) -> bytes:
    """The content of a file with a password or key; OSError where it cannot be read."""
    with path.open("rb") as file:
        return _content(file)


def _content(file: BinaryIO) -> bytes:
    content = file.read(_LONGEST + 1)
    if len(content) > _LONGEST:
        raise OSError(errno.EFBIG, f"it is longer than {_LONGEST >> 20} MiB")
    return content


def refuse_replacing(path: Path) -> None:
    """OSError for a device or a pipe: a file that is renamed to it would take its place."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(errno.EINVAL, "is no regular file, which would be replaced by one")


def refuse_foreign(path: Path, owner: int | None = None) -> None:
    """Raise ConfigError unless root or the user of this process owns it."""
    owner = path.stat().st_uid if owner is None else owner
    if owner not in (0, os.geteuid()):
        raise ConfigError(
            [
                f"{path}: belongs to the user with the number {owner};"
                f" expected root or the user that runs this, number {os.geteuid()}"
            ]
        )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise ConfigError(
            [f"{path}: whether it exists cannot be told: {error.strerror}; use --config FILE"]
        ) from error
