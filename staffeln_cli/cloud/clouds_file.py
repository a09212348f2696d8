"""The files that openstacksdk reads clouds from: one that it cannot read, it silently skips."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

import yaml
from openstack.config import OpenStackConfig, loader

from staffeln_cli.errors import ConfigError
from staffeln_cli.model.text import first_line

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast, where PyYAML was built with it."""


def check_files() -> None:
    """ConfigError for a file that openstacksdk would skip, and with it the clouds that it has.

    Another file further down its search path may have a cloud of the same name.
    """
    problems = [
        problem
        for variable, usual in (
            ("OS_CLIENT_CONFIG_FILE", loader.CONFIG_FILES),
            ("OS_CLIENT_SECURE_FILE", loader.SECURE_FILES),
        )
        if (problem := _problem(variable, usual)) is not None
    ]
    if problems:
        raise ConfigError(problems)


def advice() -> str:
    """What to do if openstacksdk finds no cloud: where it looks, or which clouds there are."""
    named = os.environ.get("OS_CLIENT_CONFIG_FILE")
    files = [named] if named else [path for path in loader.CONFIG_FILES if _is_found(Path(path))]
    if not files:
        folders = ", ".join(dict.fromkeys(str(Path(path).parent) for path in loader.CONFIG_FILES))
        return f"there is no clouds.yaml in {folders}; OS_CLIENT_CONFIG_FILE may name one"
    known = OpenStackConfig(config_files=files, load_envvars=False).get_cloud_names()
    return f"set OS_CLOUD or cloud.name to one of {files[0]}: {', '.join(sorted(known))}"


def _problem(variable: str, usual: Iterable[str]) -> str | None:
    """What is wrong with the file that the variable names, or with the first that is there."""
    named = os.environ.get(variable)
    if named:
        why = _why_not_read(Path(named))
        return f"{named}: {why}; {variable} names it" if why is not None else None
    for path in map(Path, usual):
        if _is_found(path):
            why = _why_not_read(path)
            return f"{path}: {why}" if why is not None else None
    return None


def _is_found(path: Path) -> bool:
    """Whether openstacksdk finds a file; it passes over what it cannot look at."""
    try:
        return path.exists()
    except OSError:
        return False


def _why_not_read(path: Path) -> str | None:
    try:
        content = path.read_bytes()
        if path.suffix == ".json":
            json.loads(content)
        else:
            yaml.load(content, Loader=_Loader)  # noqa: S506 - one of the two safe ones
    except FileNotFoundError:
        return "does not exist"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        return f"is not valid YAML: {where}{error.problem or error.context}"
    except json.JSONDecodeError as error:
        return f"is not valid JSON: line {error.lineno}, column {error.colno}: {error.msg}"
    except (yaml.YAMLError, ValueError) as error:
        return f"is not understood: {first_line(error)}"
    return None
