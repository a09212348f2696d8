"""The output of `config check`."""

from collections.abc import Iterable
from pathlib import Path

from staffeln_cli.model.text import dumped
from staffeln_cli.render.table import console, safe_text, show


def show_keys(file: Path | None, rows: Iterable[tuple[str, object, str]]) -> None:
    """Print the file, and each key with its value and source."""
    console().print(safe_text(f"file: {file}" if file else "no file"), soft_wrap=True)
    show(
        ("key", "value", "source"),
        ((key, None if value is None else dumped(value), source) for key, value, source in rows),
        whole=True,
    )
