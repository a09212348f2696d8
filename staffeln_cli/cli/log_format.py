"""Log lines: where they go, their two shapes, and that no text in them can break out of a line."""

import logging
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import TextIO

from staffeln_cli.errors import ConfigError
from staffeln_cli.model.redaction import without_secrets
from staffeln_cli.model.text import dumped, escaped, one_line


class LogFile(WatchedFileHandler):
    """A file, reopened after logrotate moved it; where it cannot be written, lines are lost."""

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        try:
            super().__init__(path, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise ConfigError(
                [f"log.file: {path}: cannot be written: {error.strerror}"]
            ) from error
        self._complain: Callable[[str], None] | None = complain

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or say once that it cannot be written."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """A full disk is one sentence, and no reason to end a pass."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif self._complain is not None:
            self._complain(f"log.file: {self.baseFilename}: cannot be written: {error.strerror}")
            self._complain = None

    def close(self) -> None:
        """Close it; what could not be written before cannot be written now."""
        try:
            super().close()
        except OSError:
            self.stream = None


class ToStderr(logging.StreamHandler[TextIO]):
    """Writes to whatever stderr is at the time, so that progress bars can step aside."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, value: object) -> None:
        """Fixed."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Where stderr cannot be written, there is no other place to say it."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


class RunId(logging.Filter):
    """Adds to each line the run that it belongs to."""

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self._run_id = run_id

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass everything, named."""
        record.run = self._run_id
        return True


class TextFormat(logging.Formatter):
    """A line for people. What has several lines, a traceback or a report, is indented below it."""

    converter = staticmethod(time.gmtime)

    def __init__(self, secret_urls: Sequence[str] = ()) -> None:
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%SZ")
        self._secret_urls = secret_urls

    def format(self, record: logging.LogRecord) -> str:
        """One line for each message, whatever names and reasons are in it."""
        head = f"{self.formatTime(record, self.datefmt)} {record.levelname} {_run(record)}"
        lines = [f"{head} {one_line(record.getMessage())}"]
        below = str(getattr(record, "text", ""))
        if record.exc_info:
            below += without_secrets(self.formatException(record.exc_info), *self._secret_urls)
        lines += [f"    {escaped(line)}".rstrip() for line in below.splitlines()]
        return "\n".join(lines)


class JsonFormat(logging.Formatter):
    """One JSON object on each line."""

    def __init__(self, secret_urls: Sequence[str] = ()) -> None:
        super().__init__()
        self._secret_urls = secret_urls

    def format(self, record: logging.LogRecord) -> str:
        """The same for programs."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "run": _run(record),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if text := getattr(record, "text", ""):
            entry["text"] = text
        if record.exc_info:
            traceback = self.formatException(record.exc_info)
            entry["traceback"] = without_secrets(traceback, *self._secret_urls)
        return dumped(entry)


def _run(record: logging.LogRecord) -> str:
    return getattr(record, "run", "-")
