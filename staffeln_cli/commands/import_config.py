"""Write our configuration from that of Staffeln 2."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from staffeln_cli.config.example import as_toml
from staffeln_cli.config.staffeln2 import Result, imported_from, options_of
from staffeln_cli.errors import ConfigError
from staffeln_cli.model.text import one_line

_LOGIN = """\
# The login is that of clouds.yaml or of the OS_* variables, as before: see cloud.name.
"""


def run(path: Path) -> str:
    """The TOML that means the same as a staffeln.conf; ConfigError names all that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not text in UTF-8"
        raise ConfigError([f"{path}: cannot be read: {reason}"]) from error
    try:
        result = imported_from(options_of(text))
    except ConfigError as error:
        raise ConfigError(f"{path}: {problem}" for problem in error.problems) from error
    return "\n".join(_lines(path, result))


def _lines(path: Path, result: Result) -> Iterator[str]:
    yield f"# From {one_line(str(path))}, a configuration of Staffeln 2: `staffeln config import`."
    yield _LOGIN.rstrip()
    yield "# See what is in force with: staffeln --config FILE config check"
    for section, group in groupby(result.imported, lambda each: each.key.partition(".")[0]):
        yield f"\n[{section}]"
        for each in group:
            name = each.key.partition(".")[2]
            yield f"{name} = {as_toml(each.value)}  # {each.source}"
    if result.left_out:
        yield "\n# Not carried over, and what to do instead:"
    for left_out in result.left_out:
        yield f"# {one_line(str(left_out.option))}: {one_line(left_out.advice)}"
    yield ""
