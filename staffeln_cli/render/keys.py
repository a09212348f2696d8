"""The configuration in force, the keys that somebody set standing out."""

from collections.abc import Iterable
from pathlib import Path

from rich.text import Text

from staffeln_cli.model.text import dumped, one_line
from staffeln_cli.render.table import console, show


def show_keys(file: Path | None, rows: Iterable[tuple[str, object, str]]) -> None:
    """Print the file, and each key with its value and where that came from."""
    console().print(Text(f"file: {one_line(str(file))}" if file else "no file"), soft_wrap=True)
    show(
        ("key", "value", "source"),
        ((key, None if value is None else dumped(value), source) for key, value, source in rows),
        whole=True,
    )
