"""The findings of `doctor`, printed one by one."""

from rich.table import Table
from rich.text import Text

from staffeln_cli.render.table import console, put, safe_text

_LONGEST_NAME = "policy endpoint"
_STYLES = {"ok": "green", "warning": "yellow", "problem": "bold red", "skipped": "dim"}


def show(name: str, level: str, text: str, advice: str) -> None:
    """Print a finding, and below it the advice."""
    out = console()
    line = Table.grid(padding=(0, 2))
    line.add_column(width=len("warning"))
    line.add_column(width=len(_LONGEST_NAME))
    line.add_column(overflow="fold")
    line.add_row(
        Text(level, _STYLES.get(level, "")),
        Text(name, "bold"),
        safe_text(text, "dim" if level == "skipped" else ""),
    )
    if advice:
        line.add_row("", "", safe_text(f"→ {advice}", "cyan"))
    put(out, line)
