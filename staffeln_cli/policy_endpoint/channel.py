"""Connections as waitress has them, made for a server whose one loop also answers."""

from typing import TYPE_CHECKING, Any

from waitress import wasyncore  # type: ignore[import-untyped]  # no types
from waitress.channel import HTTPChannel  # type: ignore[import-untyped]  # no types
from waitress.task import WSGITask  # type: ignore[import-untyped]  # no types

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection whose next request can be looked at before it is served."""

    _foreseen: Any = None

    def next_environ(self) -> "WSGIEnvironment | None":
        """What the application will be given, the same object; None: it will not be called."""
        if not self.connected or self.requests[0].error:
            return None
        self._foreseen = WSGITask(self, self.requests[0])
        environ: WSGIEnvironment = self._foreseen.get_environment()
        return environ

    def task_class(self, channel: "Channel", request: Any) -> Any:
        """What waitress makes for each request, as if this were a class."""
        task, self._foreseen = self._foreseen, None
        return task or WSGITask(channel, request)

    def flush(self) -> None:
        """Send what has been answered and, if that was the last, close, without another poll."""
        if self.connected and self.writable():
            wasyncore.write(self)


def adapt(listener: Any) -> None:
    """Let a listening socket of waitress make such connections, and wake no loop for them."""
    listener.channel_class = Channel
    listener.adj.send_bytes = 1 << 16  # headers and body in one piece, by `flush`
    listener.pull_trigger = _nothing  # the loop is awake: it has just answered


def accept_more(listener: Any, sockets: dict[int, Any]) -> None:
    """Accept whoever waits; waitress's own loop accepts one per turn."""
    known = -1
    while known < len(sockets) and listener.readable():
        known = len(sockets)
        listener.handle_accept()


def _nothing() -> None:
    pass
