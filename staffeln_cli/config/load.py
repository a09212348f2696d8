"""Find the file, merge the environment over it, and complain about everything at once."""

import dataclasses
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import msgspec

from staffeln_cli.config.settings import SECRETS, Settings
from staffeln_cli.errors import ConfigError
from staffeln_cli.model import durations
from staffeln_cli.model.durations import Duration
from staffeln_cli.model.redaction import masked_url
from staffeln_cli.planning.retention.policy import Policy

PREFIX = "STAFFELN_"
_NOT_KEYS = ("STAFFELN_CONFIG", "STAFFELN_TEST_")
_SECRET_ENDS = ("password", "secret", "token")
_CANDIDATES = (Path("staffeln.toml"), Path("/etc/staffeln/staffeln.toml"))


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, the file they were read from, and where each key's value came from."""

    settings: Settings
    file: Path | None
    sources: Mapping[str, str]
    """`section.key` to `default`, `file` or the name of an environment variable."""


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as somebody wrote it, and where."""

    value: object
    source: str
    place: str
    from_text: bool = False


def find_file(option: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file to read: the option, else STAFFELN_CONFIG, else the first candidate that exists."""
    if option is not None:
        return option
    if environ.get("STAFFELN_CONFIG"):
        return Path(environ["STAFFELN_CONFIG"])
    return next((path for path in _CANDIDATES if path.exists()), None)


def load(file: Path | None, environ: Mapping[str, str] | None = None) -> Loaded:
    """Settings from a file (or none) and the environment; ConfigError names every mistake."""
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    given = dict(_from_file(file, problems)) if file else {}
    given |= dict(_from_environment(environ, problems))
    sections: dict[str, dict[str, object]] = {}
    for name, one in given.items():
        section, key = name.split(".", 1)
        try:
            sections.setdefault(section, {})[key] = _decoded(one, keys()[name])
        except (msgspec.ValidationError, ValueError) as error:
            problems.append(f"{one.place}: {name}: {_explained(error)}")
    if problems:
        raise ConfigError(problems)
    types = get_type_hints(Settings)
    settings = Settings(**{name: types[name](**values) for name, values in sections.items()})
    return Loaded(settings, file, {name: one.source for name, one in given.items()})


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
    return "***"


def _from_file(file: Path, problems: list[str]) -> Iterator[tuple[str, _Given]]:
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read: {error.strerror}"]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([f"{file}: is not TOML: {error}"]) from error
    sections = {part.name for part in dataclasses.fields(Settings)}
    for section, content in raw.items():
        if section not in sections:
            problems.append(
                f"{file}: [{section}]: unknown section; known are {', '.join(sorted(sections))}"
            )
        elif not isinstance(content, dict):
            problems.append(f"{file}: {section}: expected a section [{section}] with keys")
        else:
            yield from _section(file, section, content, problems)


def _section(
    file: Path, section: str, content: Mapping[str, object], problems: list[str]
) -> Iterator[tuple[str, _Given]]:
    for key, value in content.items():
        name = f"{section}.{key}"
        if name in keys():
            yield name, _Given(value, "file", str(file))
        else:
            problems.append(f"{file}: {name}: unknown key; {_known_in(section)}")


def _known_in(section: str) -> str:
    known = [name.split(".", 1)[1] for name in keys() if name.startswith(f"{section}.")]
    return f"[{section}] knows {', '.join(known)}"


def _from_environment(
    environ: Mapping[str, str], problems: list[str]
) -> Iterator[tuple[str, _Given]]:
    names = {variable(name): name for name in keys()}
    for given, text in sorted(environ.items()):
        if not given.startswith(PREFIX) or given.startswith(_NOT_KEYS):
            continue
        if given in names:
            yield (
                names[given],
                _Given(text, given, f"environment variable {given}", from_text=True),
            )
        else:
            problems.append(
                f"environment variable {given}: no such key; expected STAFFELN_SECTION_KEY"
            )


def variable(name: str) -> str:
    """The environment variable of a `section.key`."""
    return PREFIX + name.replace(".", "_").upper()


def _decoded(one: _Given, hint: Any) -> object:
    value = one.value
    if one.from_text and isinstance(value, str):
        value = _from_text(value, hint)
    types = list(_types(hint))
    if timedelta in types:
        return _exact(value)
    if Duration in types:
        return durations.parse(_text(value))
    if Policy in types:
        return {name: _policy(name, table) for name, table in _table(value).items()}
    return msgspec.convert(value, hint, strict=not one.from_text, dec_hook=_path)


def _types(hint: Any) -> Iterator[Any]:
    """The types that an annotation is made of: `Duration | None` has Duration in it."""
    yield hint
    for part in get_args(hint):
        yield from _types(part)


def _exact(value: object) -> timedelta:
    """A duration whose length does not depend on the calendar."""
    duration = durations.parse(_text(value))
    if duration.months:
        raise ValueError(
            f"{value!r} has years or months, whose length varies; use weeks, days or less"
        )
    return duration.exact


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
        counts = msgspec.convert(rules, dict[str, Annotated[int, msgspec.Meta(ge=0, le=100_000)]])
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


def _from_text(text: str, hint: Any) -> object:
    """What an environment variable means: JSON for tables, commas or JSON for lists."""
    shape = str(hint)
    is_list = "tuple[" in shape
    if "dict[" in shape or (is_list and text.startswith("[")):
        return msgspec.json.decode(text)
    return [part.strip() for part in text.split(",") if part.strip()] if is_list else text


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    raise ValueError(f"{value!r} is not a path")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"{value!r} is not {durations.EXPECTED}; write it as a string")


def _table(value: object) -> Mapping[str, object]:
    if isinstance(value, dict):
        return value
    raise ValueError(f"{value!r} is not a table")


def _explained(error: Exception) -> str:
    return str(error).replace("`", "'")
