"""An example file generated from the settings: every key, its meaning, its default."""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from textwrap import wrap
from typing import Any, get_args, get_type_hints

from msgspec import Meta

from staffeln_cli.config.load import keys
from staffeln_cli.config.settings import Settings
from staffeln_cli.model.durations import Duration
from staffeln_cli.planning.protection.windows import Window
from staffeln_cli.planning.retention.policy import Policy

_WIDTH = 90
_HEAD = """\
# Configuration of Staffeln: every key, commented out, with its default.
# The environment variable STAFFELN_SECTION_KEY overrides SECTION.KEY of this file.
# Show the current values, and where each came from:  staffeln config check
#
# Durations: <years>y<months>mon<weeks>w<days>d<hours>h<minutes>min<seconds>s, each part optional,
# in this order: 1y2mon10d5h30min10s, 20min.
"""


def example() -> str:
    """The text of the file; with every key uncommented, it still means the defaults."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    for section, kind in get_type_hints(Settings).items():
        yield f"\n[{section}]  # {(kind.__doc__ or '').strip()}"
        for part in dataclasses.fields(kind):
            yield ""
            yield from (
                f"# {line}" for line in wrap(_description(f"{section}.{part.name}"), _WIDTH)
            )
            yield from _key(part)
    yield ""


def _key(part: "dataclasses.Field[Any]") -> Iterator[str]:
    value = default_of(part)
    if value is None:
        yield f"# {part.name} is not set"
    else:
        yield f"#{part.name} = {as_toml(value)}"
    if part.name == "policies":
        yield '# for example: policies.gfs = { daily = 7, weekly = 4, monthly = 12, time = "2d" }'


def default_of(part: "dataclasses.Field[Any]") -> object:
    """The value of a key that is not set."""
    if part.default_factory is not dataclasses.MISSING:
        return part.default_factory()
    return part.default


def as_toml(value: object) -> str:
    """A value as it is written in the file."""
    return json.dumps(plain(value), ensure_ascii=False)


def plain(value: object) -> object:
    """A value in the types that JSON has: durations, windows and paths as their text."""
    if isinstance(value, timedelta):
        return str(Duration(exact=value))
    if isinstance(value, (Duration, Path, Window)):
        return str(value)
    if isinstance(value, Policy):
        rules = dataclasses.asdict(value) | {"time": value.time}
        return {name: plain(rule) for name, rule in rules.items() if rule}
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


def _description(name: str) -> str:
    """The description of a key; the outermost annotation belongs to the key."""
    return " ".join(meta.description or "" for meta in _metas(keys()[name]))


def _metas(hint: Any) -> Iterator[Meta]:
    yield from (part for part in get_args(hint) if isinstance(part, Meta))
