"""Decisions kept as the JSON that tells them: a plan of a million lines is no burden."""

from collections.abc import Collection, Iterable, Iterator

import msgspec

from staffeln_cli.model import Decision
from staffeln_cli.model.text import escaped

_AT_ONCE = 1000
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Decision)


class Decisions(Collection[Decision]):
    """Decisions in the order in which they were added; a fifth of what objects would take."""

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        self._lines: list[bytes] = []
        self._waiting: list[Decision] = []
        self._number = 0
        self.add(decisions)

    def __len__(self) -> int:
        return self._number

    def __contains__(self, decision: object) -> bool:
        return any(one == decision for one in self)

    def __iter__(self) -> Iterator[Decision]:
        self._write()
        for lines in self._lines:
            yield from _decoder.decode_lines(lines)

    def add(self, decisions: Iterable[Decision]) -> None:
        """Take some more."""
        before = len(self._waiting)
        self._waiting += decisions
        self._number += len(self._waiting) - before
        if len(self._waiting) >= _AT_ONCE:
            self._write()

    def join(self, others: "Decisions") -> None:
        """Take all of another plan, which is not to be used any more."""
        others._write()
        self._write()
        self._lines += others._lines
        self._number += others._number

    def parts(self) -> Iterator[str]:
        """Some decisions at a time, each a line of JSON."""
        self._write()
        for lines in self._lines:
            yield escaped(lines.decode().rstrip("\n"))

    def _write(self) -> None:
        if self._waiting:
            self._lines.append(_encoder.encode_lines(self._waiting))
            self._waiting.clear()


def dumped(decisions: Collection[Decision]) -> Iterator[str]:
    """A list in JSON, a decision to a line, in parts."""
    kept = decisions if isinstance(decisions, Decisions) else Decisions(decisions)
    between = "["
    for part in kept.parts():
        yield f"{between}\n" + part.replace("\n", ",\n")
        between = ","
    yield "]" if kept else "[]"
