"""A project's report as a page: what needs attention first, then what went well."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from staffeln_cli.model.text import many
from staffeln_cli.planning.recovery import ServerRecovery
from staffeln_cli.reports.headline import of_project
from staffeln_cli.reports.model import (
    Grouped,
    Item,
    Made,
    ProjectReport,
    ProtectionState,
    Removed,
    Trouble,
    Unsafe,
)
from staffeln_cli.reports.pages.layout import (
    ROWS,
    Bar,
    Block,
    Page,
    Row,
    Section,
    Tile,
    When,
    lasting,
    listed,
    noted,
)
from staffeln_cli.reports.quota_forecast import Gauge

_NAMED = 12
"""Backups named individually; more are counted by server."""
_EXAMPLES = 5
"""Volumes named of those left out for the same reason."""
_RESTORE = (
    "Sent by Staffeln. To get data back, restore a backup under Volumes, Backups in the dashboard,"
    " or with: openstack volume backup restore"
)


def project_page(report: ProjectReport, when: When) -> Page:
    """Build the page; empty sections are left out."""
    judged = of_project(report)
    since = f"{when(report.since)} to " if report.since else "up to "
    return Page(
        subject=judged.subject,
        kicker="Volume backups of project",
        name=report.project_name,
        period=since + when(report.until),
        tone=judged.tone,
        headline=judged.headline,
        tiles=(
            Tile(report.protected, "protected"),
            Tile(len(report.made), "backed up"),
            Tile(report.trouble.failed, "failed", "bad" if report.trouble.failed else ""),
            Tile(report.overdue, "overdue", "bad" if report.overdue else ""),
        ),
        sections=[
            *trouble_sections(report.trouble, when),
            *unproven_section(report.proofs.failed, when),
            *ended_section(report.ended, when),
            *shortened_section(report.shortened, when),
            *_paused(report, when),
            *_unsafe(report, when),
            *_rest(report, when),
        ],
        footer=_RESTORE,
    )


def trouble_sections(trouble: Trouble, when: When) -> Iterator[Section]:
    """What went wrong, the most frequent reason first."""
    if trouble.failures:
        yield Section("Failed", many(trouble.failed, "volume"), "bad", _failures(trouble, when))
    if trouble.lost:
        blocks = [listed(rows_of(trouble.lost, when))]
        title = "Lost: deleted by someone else"
        yield Section(title, many(len(trouble.lost), "backup"), "bad", blocks)
    if trouble.broken:
        blocks = [listed(rows_of(trouble.broken, when))]
        title = "Broken: cannot be restored any more"
        yield Section(title, many(len(trouble.broken), "backup"), "bad", blocks)
    if trouble.stuck:
        blocks = [listed(rows_of(trouble.stuck, when))]
        title = "Cannot be removed yet"
        yield Section(title, many(len(trouble.stuck), "backup"), "fair", blocks)


def _failures(trouble: Trouble, when: When) -> Sequence[Block]:
    """A block for each reason; if there are many, the rarest share the last block."""
    common, rare = trouble.failures[:ROWS], trouble.failures[ROWS:]
    blocks = [listed(rows_of(group.items, when), _sentence(group.reason)) for group in common]
    items = [replace(item, note=group.reason) for group in rare for item in group.items]
    return [*blocks, listed(rows_of(items, when), "Other reasons")] if items else blocks


def _paused(report: ProjectReport, when: When) -> Iterator[Section]:
    """Volumes for which no backups are planned, because somebody paused them."""
    if report.paused:
        rows = [
            noted(
                Row(item.volume, item.server, f"last {when(item.at)}" if item.at else ""),
                item.note,
            )
            for item in report.paused
        ]
        title = "Paused: no backups are planned"
        yield Section(title, many(len(rows), "volume"), "fair", [listed(rows)])


def _unsafe(report: ProjectReport, when: When) -> Iterator[Section]:
    for title, tone, states in (
        ("Not protected", "bad", (ProtectionState.OVERDUE, ProtectionState.UNRESTORABLE)),
        ("Waiting for the first backup", "", (ProtectionState.WAITING,)),
    ):
        found = [volume for volume in report.unsafe if volume.state in states]
        rows = [
            noted(Row(volume.volume, volume.server, _last(volume, when)), volume.why)
            for volume in found
        ]
        if rows:
            yield Section(title, many(len(rows), "volume"), tone, [listed(rows)])


def _last(one: Unsafe, when: When) -> str:
    if one.last is not None:
        return f"last {when(one.last)}"
    return "" if one.state is ProtectionState.UNRESTORABLE else "never backed up"


def _rest(report: ProjectReport, when: When) -> Iterator[Section]:
    if report.quota_forecast is not None:
        bars = (
            _bar("Backup storage", " GiB", report.quota_forecast.gigabytes),
            _bar("Backups", "", report.quota_forecast.backups),
        )
        note = "An incremental backup is charged the full size of its volume."
        yield Section("Quota", bars=bars, note=note)
    if report.made:
        gib = sum(backup.gib for backup in report.made)
        figure = f"{many(len(report.made), 'backup')}, {gib:,} GiB"
        yield Section("Backed up", figure, blocks=[listed(_made(report, when))])
    if report.proofs.passed:
        figure = many(len(report.proofs.passed), "backup")
        rows = rows_of(report.proofs.passed, when)
        yield Section("Proven by a restore", figure, blocks=[listed(rows)])
    if report.recovery:
        yield _recovery(report.recovery)
    if report.recovered:
        figure = many(len(report.recovered), "attempt")
        rows = rows_of(report.recovered, when)
        yield Section("Failed at first, went well later", figure, blocks=[listed(rows)])
    if report.skipped:
        figure = many(sum(len(group.items) for group in report.skipped), "volume")
        left_out = [_left_out(group) for group in report.skipped]
        yield Section("Not backed up, as configured", figure, blocks=[listed(left_out)])
    yield from _small_print(report, when)


def _recovery(servers: Sequence[ServerRecovery]) -> Section:
    rows = [
        Row(
            server.name or "a server without a name",
            many(server.volumes, "volume"),
            server.time.about,
            server.time.range,
        )
        for server in servers
    ]
    note = "One volume after another; at the shortest all at once. Measured by restore drills."
    figure = many(len(rows), "server")
    return Section("Expected time to restore", figure, blocks=[listed(rows)], note=note)


def unproven_section(failed: Sequence[Item], when: When) -> Iterator[Section]:
    """The volumes whose backup could not be restored on trial."""
    if failed:
        figure = many(len(failed), "volume")
        yield Section("Not restorable on trial", figure, "bad", [listed(rows_of(failed, when))])


def ended_section(ended: Sequence[Item], when: When) -> Iterator[Section]:
    """The volumes that lost their protection: nobody else may have noticed."""
    if ended:
        figure = many(len(ended), "volume")
        yield Section("No longer protected", figure, "bad", [listed(rows_of(ended, when))])


def shortened_section(shortened: Sequence[Item], when: When) -> Iterator[Section]:
    """What somebody has done to the retention, while it can still be taken back."""
    if shortened:
        figure, rows = many(len(shortened), "volume"), rows_of(shortened, when)
        yield Section("Retention was shortened", figure, "bad", [listed(rows)])


def _small_print(report: ProjectReport, when: When) -> Iterator[Section]:
    if report.seen_again:
        figure, rows = many(len(report.seen_again), "backup"), rows_of(report.seen_again, when)
        yield Section(
            "Counted as missing, failed or broken, and whole", figure, blocks=[listed(rows)]
        )
    if report.gone:
        figure, rows = many(len(report.gone), "volume"), rows_of(report.gone, when)
        yield Section("Gone, with backups that are left", figure, blocks=[listed(rows)])
    if report.bad_retention:
        title, figure = "Retention not understood", many(len(report.bad_retention), "volume")
        yield Section(title, figure, "fair", [listed(rows_of(report.bad_retention, when))])
    if report.removed:
        number, gib = (
            sum(group.number for group in report.removed),
            sum(group.gib for group in report.removed),
        )
        figure = f"{many(number, 'backup')}, {gib:,} GiB"
        blocks = [listed([_removed(group, when) for group in report.removed])]
        yield Section("Expired and removed", figure, blocks=blocks)
    if report.pinned:
        figure = many(len(report.pinned), "backup")
        rows = rows_of(report.pinned, when)
        yield Section("Pinned: kept until released", figure, blocks=[listed(rows)])


def rows_of(items: Iterable[Item], when: When) -> Sequence[Row]:
    """Items as rows: the volume, its server and project, the time, the remark."""
    return [
        noted(Row(item.volume, _joined(item.project, item.server), when(item.at)), item.note)
        for item in items
    ]


def _made(report: ProjectReport, when: When) -> Sequence[Row]:
    if len(report.made) <= _NAMED:
        return [
            Row(
                backup.volume,
                backup.server,
                f"{backup.kind}, {backup.gib:,} GiB",
                when(backup.finished_at),
                _joined(backup.backup, _took(backup)),
            )
            for backup in report.made
        ]
    return [
        Row(
            server.server or "no server",
            many(server.volumes, "volume"),
            f"{server.gib:,} GiB",
            f"{server.full:,} full, {server.incremental:,} incremental",
        )
        for server in report.made_on
    ]


def _removed(one: Removed, when: When) -> Row:
    starts = f"of {when(one.first)}" + (f" to {when(one.last)}" if one.number > 1 else "")
    return noted(Row(one.volume, one.server, many(one.number, "backup")), starts)


def _took(one: Made) -> str:
    took = lasting(one.started_at, one.finished_at)
    return f"took {took}" if took else ""


def _left_out(group: Grouped) -> Row:
    examples = ", ".join(item.volume for item in group.items[:_EXAMPLES])
    rest = len(group.items) - _EXAMPLES
    more = f" and {rest:,} more" if rest > 0 else ""
    return Row(_sentence(group.reason), examples + more, many(len(group.items), "volume"))


def _bar(label: str, unit: str, gauge: Gauge) -> Bar:
    if gauge.is_unlimited:
        return Bar(label, f"{gauge.used:,}{unit}, no limit", gauge.colour)
    note = ""
    if gauge.days_left is not None:
        soon = many(gauge.days_left, "day") if gauge.days_left else "less than a day"
        note = f"Full in {soon} at the present rate."
    elif gauge.limit == 0:
        note = "The quota allows no backup at all."
    figure = f"{gauge.used:,} of {gauge.limit:,}{unit}, {gauge.percent:,} %"
    return Bar(label, figure, gauge.colour, gauge.percent, note)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
