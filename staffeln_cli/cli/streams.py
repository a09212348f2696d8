"""Standard streams that are closed, full or broken: none of them stops a pass."""

import io
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from staffeln_cli.model.text import one_line

if TYPE_CHECKING:
    from typing_extensions import Buffer


class TolerantFile(io.FileIO):
    """A file that can be told to go on when it cannot be written: the rest is dropped."""

    tolerates = False
    error: OSError | None = None
    """Why it could not be written."""

    def write(self, data: "Buffer", /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            self.error = error
            if not self.tolerates:
                raise
            return memoryview(data).nbytes


@dataclass(slots=True)
class Streams:
    """Stdout of this process, where the command line has put its own file in place."""

    out: TolerantFile | None = None
    tolerant: bool = False
    """Whether this is a pass, whose work counts, and not the output of a listing."""

    @property
    def failure(self) -> OSError | None:
        """Why stdout could not be written."""
        return self.out.error if self.out is not None else None

    def never_fail(self) -> None:
        """From here on, stdout that cannot be written ends nothing."""
        self.tolerant = True
        if self.out is not None:
            self.out.tolerates = True

    def finish(self) -> OSError | None:
        """Write what is left; return why some of it is lost, unless the reader had enough."""
        if self.out is None:
            return None
        self.out.tolerates = True
        sys.stdout.flush()
        return None if isinstance(self.failure, BrokenPipeError) else self.failure


def take_over() -> Streams:
    """Open what the caller closed, and see to it that stderr can always be written to.

    A closed stream would otherwise give its number to the next file opened, such as the database.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    out, errors = TolerantFile(1, "w", closefd=False), TolerantFile(2, "w", closefd=False)
    errors.tolerates = True
    sys.stdout = _text(out, sys.stdout)
    sys.stderr = _text(errors, sys.stderr)
    return Streams(out)


def complain(text: str) -> None:
    """Say something on stderr, each line of it safe for a terminal and for cron's mail."""
    for line in text.splitlines():
        click.echo(one_line(line), err=True)


def _text(file: TolerantFile, before: object) -> io.TextIOWrapper:
    """Like the stream that Python made, but characters unknown to the locale become escapes."""
    is_error = file.fileno() == 2
    return io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=getattr(before, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=is_error or file.isatty(),
    )
