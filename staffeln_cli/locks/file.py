"""Locks between the runs of one host; the kernel releases them when a process dies."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from filelock import FileLock, SoftFileLock, Timeout

from staffeln_cli.config.files import refuse_foreign
from staffeln_cli.errors import ConfigError, LockHeld, LockServiceUnavailable
from staffeln_cli.locks.url import FileUrl
from staffeln_cli.model.text import dns_label


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A locked file, known by its inode."""

    path: Path
    identity: tuple[int, int]

    def still_held(self) -> bool:
        """False once the file was removed: the next run locks a new file."""
        try:
            return _identity(self.path) == self.identity
        except OSError:
            return False


@contextmanager
def held(url: FileUrl, name: str, *, owner: str, lease: timedelta) -> Iterator[HeldFile]:
    """Hold the lock; `lease` does not matter, as the lock lasts exactly as long as the process."""
    path = url.folder / f"{dns_label(name)}.lock"
    note = path.with_suffix(".holder")
    lock = FileLock(path, blocking=False, thread_local=False)
    with _understood(path, note):
        url.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_unsafe(url.folder)
        lock.acquire()
        _refuse_without_kernel_locks(lock, url.folder)
        found = HeldFile(path, _identity(path))
    try:
        with suppress(OSError):  # The name of the holder is only for messages.
            _write(note, owner)
        yield found
    finally:
        with suppress(OSError):
            note.unlink(missing_ok=True)
        lock.release()


@contextmanager
def _understood(path: Path, note: Path) -> Iterator[None]:
    """Translate errors of the file system into ours."""
    try:
        yield
    except Timeout:
        raise LockHeld(f"the lock {path} is held by {_holder(note)}") from None
    except OSError as error:
        raise LockServiceUnavailable(
            f"the lock {path} cannot be taken ({error.strerror or error}):"
            " check lock.url and that its folder is writable"
        ) from error


def _refuse_unsafe(folder: Path) -> None:
    """Raise ConfigError if another user could put links into the folder, or be its owner.

    Who creates a folder below /run/lock first decides what is in it, and root writes there.
    """
    refuse_foreign(folder, folder.lstat().st_uid)  # of a link, its owner
    refuse_foreign(folder)
    if folder.stat().st_mode & stat.S_IWOTH:
        raise ConfigError(
            [f"lock.url: {folder}: can be written by everybody; expected a folder of its own"]
        )


def _write(note: Path, owner: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(note, flags, 0o600), "w", encoding="utf-8") as file:
        file.write(owner)


def _holder(note: Path) -> str:
    try:
        return note.read_text(encoding="utf-8", errors="replace").strip() or "another run"
    except OSError:
        return "another run"


def _refuse_without_kernel_locks(lock: object, folder: Path) -> None:
    """Where flock is missing, filelock leaves marker files, which outlive a killed process."""
    if isinstance(lock, SoftFileLock):
        lock.release()
        raise LockServiceUnavailable(
            f"the file system of {folder} has no file locks: choose another lock.url"
        )


def _identity(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_dev, stat.st_ino
