"""The file of a Unix socket: replaced only if nobody serves it, removed only if it is ours."""

import socket
import stat
from pathlib import Path

_MODE = 0o660
_Identity = tuple[int, int]


class UnixSocket:
    """A bound socket and its file. OSError: the path cannot be used, or somebody serves it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        _remove_unserved(path)
        self.socket = socket.socket(socket.AF_UNIX)
        try:
            self.socket.bind(str(path))
            self._identity = _identity(path)
            path.chmod(_MODE)
        except BaseException:
            self.socket.close()
            raise

    def remove(self) -> None:
        """Remove the file unless another process has put its own there.

        To be called while the socket is open: as long as it is, no other file gets its inode.
        """
        if _identity(self._path) == self._identity:
            self._path.unlink(missing_ok=True)


def _remove_unserved(path: Path) -> None:
    found = _identity(path)
    if found is None:
        return
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise FileExistsError("the file exists and is not a socket")
    with socket.socket(socket.AF_UNIX) as client:
        client.setblocking(False)
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            if _identity(path) == found:
                path.unlink(missing_ok=True)
            return
        except BlockingIOError:
            pass  # served, with a full queue of connections
    raise FileExistsError("another process serves this socket")


def _identity(path: Path) -> _Identity | None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino
