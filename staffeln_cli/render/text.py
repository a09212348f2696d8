"""Values as text, safe wherever it is printed: moments in UTC, strangers' names on one line."""

import json
import re
from datetime import UTC, datetime

_RISKY = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Controls that JSON leaves as they are, though a terminal may act on them."""


def zulu(moment: datetime) -> str:
    """A moment as JSON has it: UTC, whole seconds, ending in Z."""
    moment = moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='seconds')[:19]}Z"


def printable(text: str) -> str:
    """Text of strangers on one line, without control characters."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return "".join(one if one.isprintable() else "?" for one in " ".join(text.split()))


def dumped(value: object) -> str:
    """JSON on one line, legible, without anything that a terminal could take for a command."""
    return harmless(json.dumps(value, ensure_ascii=False, default=_plain))


def harmless(text: str) -> str:
    """JSON in which whatever a terminal could take for a command is escaped."""
    if text.isascii() and "\x7f" not in text:
        return text
    return _RISKY.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _plain(value: object) -> str:
    return zulu(value) if isinstance(value, datetime) else str(value)
