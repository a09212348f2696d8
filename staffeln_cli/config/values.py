"""What a value means: from TOML or an environment variable to the type that its key has."""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, get_args, get_origin

import msgspec

from staffeln_cli.model import durations
from staffeln_cli.model.durations import Duration, Timeout
from staffeln_cli.model.text import Pattern, quoted, storable
from staffeln_cli.planning.protection import windows
from staffeln_cli.planning.protection.windows import Window
from staffeln_cli.planning.retention.policy import Policy

_MOST = 2**31 - 1
"""What every database can hold."""
_Count = Annotated[int, msgspec.Meta(ge=0, le=100_000)]


def decoded(value: object, hint: Any, *, is_text: bool) -> object:
    """The value in its key's type; ValueError or a msgspec error say what is wrong with it.

    `is_text` is a value of an environment variable: commas or JSON for lists, JSON for tables.
    """
    kind = _kind(hint)
    _refuse_untypable(value)
    if kind is tuple:
        value = _listed(value, is_text=is_text)
    elif kind is dict and is_text and isinstance(value, str):
        value = msgspec.json.decode(value)
    if kind in _READERS:
        return _READERS[kind](value)
    found = msgspec.convert(value, hint, strict=not is_text, dec_hook=_path)
    if isinstance(found, int) and found > _MOST:
        raise ValueError(f"Expected 'int' <= {_MOST}")
    return found


def _refuse_untypable(value: object) -> None:
    """ValueError for a text that is no name of a file, nor anything else that can be meant."""
    if isinstance(value, str) and value != storable(value):
        raise ValueError(f"{quoted(value)} has a NUL, or a byte that is not UTF-8")
    if isinstance(value, list):
        for part in value:
            _refuse_untypable(part)


def _kind(hint: Any) -> Any:
    """The type that a value of the key has, unless it is None: Duration of `Duration | None`."""
    hint = get_args(hint)[0]  # every key is annotated with its description
    if isinstance(hint, UnionType):
        hint = next(part for part in get_args(hint) if part is not type(None))
    return get_origin(hint) or hint


def _listed(value: object, *, is_text: bool) -> object:
    """A bare string is a list of one."""
    if not isinstance(value, str):
        return value
    if not is_text:
        return [value]
    if value.startswith("["):
        return msgspec.json.decode(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def _policies(value: object) -> dict[str, Policy]:
    return {name: _policy(name, table) for name, table in _table(value).items()}


def _policy(name: str, table: object) -> Policy:
    _check_policy_name(name)
    rules = dict(_table(table))
    known = [part.name for part in dataclasses.fields(Policy)]
    if unknown := rules.keys() - set(known):
        raise ValueError(
            f"policy {name!r}: {', '.join(sorted(unknown))}: unknown rule;"
            f" known are {', '.join(known)}"
        )
    time = durations.parse(_text(rules.pop("time"))) if "time" in rules else None
    try:
        counts = msgspec.convert(rules, dict[str, _Count])
    except msgspec.ValidationError as error:
        raise ValueError(f"policy {name!r}: {error}") from error
    if not time and not any(counts.values()):
        raise ValueError(f"policy {name!r} keeps nothing; give it a time or a count")
    return Policy(time=time, **counts)


def _check_policy_name(name: str) -> None:
    """Server metadata names a policy or a duration: no text may mean both, or neither."""
    if not name.strip() or name != name.strip():
        raise ValueError(f"policy {name!r}: a name is not empty and has no spaces around it")
    try:
        durations.parse(name)
    except ValueError:
        return
    raise ValueError(f"policy {name!r}: its name reads as a duration; choose another")


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    raise ValueError(f"{value!r} is not a path")


def _text(value: object, expected: str = durations.EXPECTED) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"{value!r} is not {expected}; write it as a string")


def _table(value: object) -> Mapping[str, object]:
    if isinstance(value, dict):
        return value
    raise ValueError(f"{value!r} is not a table")


_READERS: Mapping[Any, Callable[[object], object]] = {
    Duration: lambda value: durations.parse(_text(value)),
    timedelta: lambda value: durations.parse_exact(_text(value)),
    Timeout: lambda value: Timeout.of(durations.parse_exact(_text(value))),
    Window: lambda value: windows.parse(_text(value, windows.EXPECTED)),
    Pattern: lambda value: Pattern.of(_text(value, "a regular expression")),
    dict: _policies,
}
"""The types that are read by rules of our own."""
