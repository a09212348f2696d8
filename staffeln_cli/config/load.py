"""Merges the environment over the file, and reports every mistake at once."""

import dataclasses
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from staffeln_cli.config import environment
from staffeln_cli.config.files import read_trusted
from staffeln_cli.config.settings import SECRETS, Settings
from staffeln_cli.config.values import decoded
from staffeln_cli.errors import ConfigError
from staffeln_cli.model.redaction import MASK, masked_url

RENAMED = {
    "retain.time_budget": "retention.time_budget",
    "retain.max_in_flight": "retention.max_in_flight",
}
"""Keys that were renamed, and their names now; files with the old names still work."""
_SECRET_ENDS = ("password", "secret", "token")


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, the file they were read from, and where each key's value came from."""

    settings: Settings
    file: Path | None
    sources: Mapping[str, str]
    """`section.key` to `default`, `file` or the name of an environment variable."""
    old_names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """`section.key` to the old name under which it was given."""


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as it was written, where, and under which name."""

    name: str
    value: object
    source: str
    place: str
    is_text: bool = False


def load(file: Path | None, environ: Mapping[str, str] | None = None) -> Loaded:
    """Settings from a file (or none) and the environment; ConfigError names every mistake."""
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    given = _merged(_from_file(file, problems) if file else (), problems)
    given |= _merged(_from_environment(environ, problems), problems)
    sections: dict[str, dict[str, object]] = {}
    for name, item in given.items():
        section, key = name.split(".", 1)
        try:
            value = decoded(item.value, keys()[name], is_text=item.is_text)
            sections.setdefault(section, {})[key] = value
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            problems.append(f"{item.place}: {item.name}: {_explained(error)}")
    if problems:
        raise ConfigError(problems)
    types = get_type_hints(Settings)
    settings = Settings(**{name: types[name](**values) for name, values in sections.items()})
    return Loaded(
        settings,
        file,
        sources={name: item.source for name, item in given.items()},
        old_names={name: item.name for name, item in given.items() if item.name != name},
    )


@cache
def keys() -> Mapping[str, Any]:
    """Every `section.key` with its annotated type, in the order of the settings."""
    found: dict[str, Any] = {}
    for section, kind in get_type_hints(Settings).items():
        hints = get_type_hints(kind, include_extras=True)
        found |= {f"{section}.{name}": hint for name, hint in hints.items()}
    return found


def masked(name: str, value: object) -> object:
    """The value as it may be shown: passwords in URLs and secrets hidden."""
    if not value or (name not in SECRETS and not name.endswith(_SECRET_ENDS)):
        return value
    if isinstance(value, str) and "://" in value:
        return masked_url(value)
    return MASK


def _merged(given: Iterator[_Given] | tuple[()], problems: list[str]) -> dict[str, _Given]:
    """The values by current names; a key that is set under both of its names is a mistake."""
    found: dict[str, _Given] = {}
    for item in given:
        name = RENAMED.get(item.name, item.name)
        if name in found:
            problems.append(
                f"{item.place}: {item.name}: is called {name} now, and that is set, too"
            )
        found[name] = item
    return found


def _from_file(file: Path, problems: list[str]) -> Iterator[_Given]:
    try:
        raw = tomllib.loads(read_trusted(file).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError([f"{file}: is not TOML: {error}"]) from error
    sections = {part.name for part in dataclasses.fields(Settings)}
    old_sections = {name.partition(".")[0] for name in RENAMED}
    for section, content in raw.items():
        if section not in sections | old_sections:
            problems.append(
                f"{file}: [{section}]: unknown section; known are {', '.join(sorted(sections))}"
            )
        elif not isinstance(content, dict):
            problems.append(f"{file}: {section}: expected a section [{section}] with keys")
        else:
            yield from _section(file, section, content, problems)


def _section(
    file: Path, section: str, content: Mapping[str, object], problems: list[str]
) -> Iterator[_Given]:
    for key, value in content.items():
        name = f"{section}.{key}"
        if name in keys() or name in RENAMED:
            yield _Given(name, value, "file", str(file))
        else:
            problems.append(f"{file}: {name}: unknown key; {_known_in(section)}")


def _known_in(section: str) -> str:
    known = [name.split(".", 1)[1] for name in keys() if name.startswith(f"{section}.")]
    return f"[{section}] knows {', '.join(known)}" if known else "see staffeln config init"


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> Iterator[_Given]:
    for name, variable, text in environment.given(environ, (*keys(), *RENAMED)):
        place = f"environment variable {variable}"
        if name is None:
            problems.append(f"{place}: no such key; expected STAFFELN_SECTION_KEY")
        else:
            yield _Given(name, text, variable, place, is_text=True)


def _explained(error: Exception) -> str:
    return str(error).replace("`", "'")
