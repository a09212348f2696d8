"""The output of `status`: the overall health first."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from staffeln_cli.planning.health import Finding, Level, Summary, age
from staffeln_cli.render.table import cell, console, put, safe_text

_LEVELS = {Level.OK: "green", Level.WARNING: "yellow", Level.CRITICAL: "red"}


def show(state: Summary, findings: Iterable[Finding]) -> None:
    """Print the findings, the worst volumes, the figures and the runs."""
    out = console()
    cloud = state.cloud or "no cloud yet"
    put(out, safe_text(f"{cloud}, {state.generated_at:%Y-%m-%d %H:%M} UTC", "bold"))
    put(out, "")
    put(out, _verdict(findings))
    if state.worst:
        _show_worst(out, state)
    put(out, "")
    put(out, _figures(state))
    if state.runs:
        put(out, "")
        put(out, _runs(state))


def _verdict(findings: Iterable[Finding]) -> Table:
    table = _grid()
    for finding in findings:
        style = f"bold {_LEVELS[finding.level]}" if finding.level else "green"
        text = safe_text(finding.text, "bold" if finding.level else "")
        table.add_row(Text(finding.level.name, style), text)
    return table


def _show_worst(out: Console, state: Summary) -> None:
    table = Table("project", "server", "volume", "last backup", "why", box=None)
    table.header_style, table.pad_edge = "dim", False
    for volume in state.worst:
        ago = f"{age(state.generated_at, volume.since)} ago"
        last = Text(ago, "red") if volume.ever else Text(f"never, seen {ago}", "red")
        why = f"{volume.failures:,} failed since" if volume.failures else "none was made"
        names = (safe_text(name) for name in (volume.project, volume.server, volume.volume))
        table.add_row(*names, last, Text(why))
    for column in table.columns[:3]:
        column.no_wrap, column.overflow = True, "ellipsis"
    put(out, Padding(table, (1, 0, 0, 2), expand=False))
    if more := state.volumes.overdue - len(state.worst):
        put(out, Text(f"  … and {more:,} more: staffeln status volumes --overdue", "dim"))


def _figures(state: Summary) -> Table:
    volumes = state.volumes
    table = _grid()
    named = {
        "protected": volumes.protected,
        "overdue": volumes.overdue,
        "never backed up": volumes.never,
        "skipped on request": volumes.skipped,
        "unknown": volumes.unknown,
        "protection ended": volumes.ended,
        "without any backup left": volumes.lost,
    }
    table.add_row(Text("volumes", "dim"), _counts(named, always=("protected", "overdue")))
    table.add_row(Text("backups", "dim"), _counts(state.backups))
    if oldest := volumes.oldest_success:
        text = f"no volume's last backup is older than {age(state.generated_at, oldest)}"
        table.add_row(Text("age", "dim"), Text(text))
    return table


def _counts(counts: Mapping[Any, int], always: tuple[str, ...] = ()) -> Text:
    parts = [
        Text.assemble((f"{number:,}", cell(name, number).style), f" {name}")
        for name, number in counts.items()
        if number or name in always
    ]
    return Text(", ").join(parts) if parts else Text("none")


def _runs(state: Summary) -> Table:
    table = Table("last run", "when", "outcome", "host", box=None)
    table.header_style, table.pad_edge = "dim", False
    for name, run in state.runs.items():
        when = f"{age(state.generated_at, run.at)} ago"
        table.add_row(
            name,
            when,
            Text(run.outcome, cell("outcome", run.outcome).style),
            safe_text(run.host),
        )
    return table


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table
