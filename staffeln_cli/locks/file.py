"""Locks between the runs of one host; the kernel releases them when a process dies."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from filelock import FileLock, SoftFileLock, Timeout

from staffeln_cli.errors import LockHeld, LockServiceUnavailable
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
        lock.acquire()
        _refuse_without_kernel_locks(lock, url.folder)
        found = HeldFile(path, _identity(path))
    try:
        with suppress(OSError):  # The name of the holder is only for messages.
            note.write_text(owner, encoding="utf-8")
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
