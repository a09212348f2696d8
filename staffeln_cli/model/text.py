"""Rules for text: what others wrote is made safe for each kind of place, figures get a noun."""

import json
import re
from datetime import UTC, datetime

_CONTROLS = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What a terminal may act on, bidirectional marks and lone surrogates too; no newline."""
_CHAT = str.maketrans({"<": "‹", ">": "›", "@": "＠"})  # noqa: RUF001 - looks alike on purpose
_LONGEST_QUOTE = 64


class Pattern(str):
    """A regular expression that compiles."""

    __slots__ = ()

    @classmethod
    def of(cls, text: str) -> "Pattern":
        """As a pattern; ValueError says why it is none."""
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"{quoted(text)} is not a regular expression: {error}") from None
        return cls(text)


def one_line(text: str) -> str:
    """For tables, logs, headers and messages: one line of printable characters."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))


def first_line(error: object) -> str:
    """What an error says, without its further lines; an error without text gives its class."""
    return one_line((str(error).strip() or type(error).__name__).splitlines()[0])


def escaped(text: str) -> str:
    """For JSON and text of several lines: controls become escapes that JSON reads back."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def unmentioned(text: str) -> str:
    """For a chat: one line that addresses nobody and is no link or markup of angle brackets."""
    return one_line(text).translate(_CHAT)


def quoted(text: str) -> str:
    """For a message about a wrong value: in quotes, short, with escapes."""
    return repr(text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…")


def storable(text: str) -> str:
    """For the database and for JSON: without NUL and without halves of characters."""
    if text.isascii():
        return text.replace("\0", "")
    return text.replace("\0", "").encode(errors="replace").decode()


def nameable(text: str) -> str:
    """For a name in Cinder, whose database may hold no character of four bytes."""
    line = one_line(text)
    if line.isascii():
        return line
    return "".join(char if char <= "\uffff" else "?" for char in line)


def is_host(name: str) -> bool:
    """Whether this can be the name of a host; the socket module has a UnicodeError for others."""
    try:
        return bool(name.encode("idna"))
    except UnicodeError:
        return False


def dns_label(text: str) -> str:
    """For a file or a Kubernetes object: DNS-1123, with a checksum wherever it had to change."""
    safe = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-")
    if safe and safe == text:
        return text
    from hashlib import sha256

    checksum = sha256(text.encode()).hexdigest()[:8]
    return f"{safe}-{checksum}" if safe else checksum


def many(number: int, noun: str) -> str:
    """A number with its noun, in the singular or in the plural."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def dumped(value: object) -> str:
    """JSON on one line, legible, without anything that a terminal may act on."""
    return escaped(json.dumps(value, ensure_ascii=False, default=_as_text))


def zulu(moment: datetime) -> str:
    """A moment as JSON has it: UTC, whole seconds, ending in Z."""
    moment = moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='seconds')[:19]}Z"


def _as_text(value: object) -> str:
    return zulu(value) if isinstance(value, datetime) else str(value)
