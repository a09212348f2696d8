"""The output of `status`: the overall health first."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from staffeln_cli.planning.estimates import Work
from staffeln_cli.planning.health import Finding, Level, Summary, age
from staffeln_cli.planning.protection.pausing import described
from staffeln_cli.planning.protection.windows import Opening
from staffeln_cli.render.table import cell, console, put, safe_text

_RUNNING = 5
"""Running backups that are named."""
_A_MINUTE = timedelta(minutes=1)
_LEVELS = {Level.OK: "green", Level.WARNING: "yellow", Level.CRITICAL: "red"}


def show(state: Summary, findings: Iterable[Finding], out: Console | None = None) -> None:
    """Print the findings, the worst volumes, the figures and the runs."""
    out = out or console()
    cloud = state.cloud or "no cloud yet"
    put(out, safe_text(f"{cloud}, {state.generated_at:%Y-%m-%d %H:%M} UTC", "bold"))
    put(out, "")
    put(out, _verdict(findings))
    if state.worst:
        _show_worst(out, state)
    for pause in state.pauses:
        put(out, Text.assemble(("  paused  ", "yellow"), safe_text(described(pause))))
    put(out, "")
    put(out, _figures(state))
    if state.work.running:
        put(out, "")
        put(out, _running(state))
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
    _fold_names(table, 0, 3)
    put(out, Padding(table, (1, 0, 0, 2), expand=False))
    if more := state.volumes.overdue - len(state.worst):
        put(out, Text(f"  … and {more:,} more: staffeln status volumes --overdue", "dim"))


def _figures(state: Summary) -> Table:
    volumes = state.volumes
    table = _grid()
    named = {
        "protected": volumes.protected,
        "overdue": volumes.overdue,
        "paused": volumes.paused,
        "never backed up": volumes.never,
        "skipped on request": volumes.skipped,
        "unknown": volumes.unknown,
        "protection ended": volumes.ended,
        "without a backup to restore": volumes.lost,
    }
    table.add_row(Text("volumes", "dim"), _counts(named, always=("protected", "overdue")))
    table.add_row(Text("backups", "dim"), _counts(state.backups))
    if text := _work(state):
        table.add_row(Text("work", "dim"), Text(text))
    if state.proofs is not None:
        table.add_row(Text("proofs", "dim"), Text(state.proofs))
    if state.recovery_rates:
        rates = (f"{rate:.0f} s per GiB ({n})" for n, rate in state.recovery_rates.items())
        text = f"a restore takes {', '.join(rates)}; in brackets: the backups in the chain"
        table.add_row(Text("recovery", "dim"), Text(text))
    if oldest := volumes.oldest_success:
        text = f"no volume's last backup is older than {age(state.generated_at, oldest)}"
        table.add_row(Text("age", "dim"), Text(text))
    return table


def _work(state: Summary) -> str:
    """How long the running ones take, and when the waiting ones are done."""
    work, now = state.work, state.generated_at
    parts = []
    if work.running:
        parts.append(f"{len(work.running):,} running{_in_all(work.running_done_at, now)}")
    if work.waiting:
        done = f", done about {_clock_time(work.done_at, now)}" if work.done_at else ""
        parts.append(f"{work.waiting:,} waiting{done}")
    if work.opening is not None:
        parts.append(_window(work, work.opening, now))
    return "; ".join(parts)


def _window(work: Work, opening: Opening, now: datetime) -> str:
    """Whether the window suffices for what waits."""
    closes = _clock_time(opening.closes_at, now)
    opens = "" if opening.is_open(now) else f"opens {_clock_time(opening.opens_at, now)} and "
    text = f"the window {opens}closes {closes}"
    if work.last_start_at is None or work.window_suffices is None:
        return text
    if work.window_suffices:
        return f"{text}, which suffices"
    return f"{text}, too early: the last would start about {_clock_time(work.last_start_at, now)}"


def _in_all(done_at: datetime | None, now: datetime) -> str:
    if done_at is None:
        return ""
    return f", about {_about(done_at, now)} left" if done_at > now else ", should be done by now"


def _running(state: Summary) -> Table:
    """The running backups that take longest."""
    table = Table("running", "server", "volume", "since", "left", box=None)
    table.header_style, table.pad_edge = "dim", False
    now = state.generated_at
    for one in state.work.running[:_RUNNING]:
        backup = one.backup
        since = age(now, backup.started_at) if backup.started_at else "-"
        names = safe_text(backup.server_name), safe_text(backup.volume_name or backup.volume_id)
        table.add_row(backup.kind, *names, since, _left(one.done_at, now))
    _fold_names(table, 1, 3)
    return table


def _fold_names(table: Table, first: int, end: int) -> None:
    """Let only names go on in the next line: on a narrow terminal other columns would vanish."""
    for number, column in enumerate(table.columns):
        column.no_wrap = not first <= number < end
        column.overflow = "fold"


def _left(done_at: datetime | None, now: datetime) -> Text:
    if done_at is None:
        return Text("not known yet", "dim")
    if done_at < now:
        return Text(f"{age(now, done_at)} longer than usual", "yellow")
    return Text(f"about {_about(done_at, now)}")


def _about(done_at: datetime, now: datetime) -> str:
    """To the nearest minute, unless it is soon."""
    left = done_at - now
    minutes = round(left / _A_MINUTE)
    return age(now + (minutes * _A_MINUTE if minutes > 1 else left), now)


def _clock_time(moment: datetime, now: datetime) -> str:
    """The time, with the date if it is on another day."""
    day = "" if moment.date() == now.date() else f"{moment:%Y-%m-%d} "
    return f"{day}{moment:%H:%M} UTC"


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
