"""Places in the simulated cloud where a request is held up, noticed, or counted."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.demo.simcloud.calls import Request

PATIENCE = 30


class Gate:
    """Holds up the n-th request of a kind until it is opened; others pass."""

    def __init__(self, cloud: SimCloud, method: str, path: str, *, number: int = 1) -> None:
        self._kind, self._left = (method, path), number
        self._arrived, self._open = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        cloud.on_request = self

    def __call__(self, request: Request) -> None:
        """Look at one request; called by the cloud."""
        method, path = self._kind
        if request.method != method or not request.path.endswith(path):
            return
        with self._lock:
            self._left -= 1
            is_it = self._left == 0
        if is_it:
            self._arrived.set()
            assert self._open.wait(PATIENCE)

    def wait(self) -> None:
        """Until somebody stands before it."""
        assert self._arrived.wait(PATIENCE)

    def open(self) -> None:
        """Let them through."""
        self._open.set()


@contextmanager
def most_in_flight(cloud: SimCloud) -> Iterator[Callable[[], tuple[int, int]]]:
    """How many backups were ever being created at once: in all, and in any one project."""
    most = [0, 0]

    def count(_: Request) -> None:
        with cloud.world.lock:
            flying = [
                cloud.world.backups[one].project_id
                for one in cloud.world.waiting.creates
                if one in cloud.world.backups
            ]
        most[0] = max(most[0], len(flying))
        most[1] = max([most[1], *Counter(flying).values()])

    cloud.on_reply = count
    yield lambda: (most[0], most[1])
    cloud.on_reply = None
