"""A project's digest as a page: what needs somebody first, what went well after it."""

from collections.abc import Iterable, Iterator, Sequence

from staffeln_cli.commands.digest import Digest, Grouped, Line, Removed
from staffeln_cli.commands.outlook import Gauge
from staffeln_cli.commands.page import Bar, Page, Row, Section, Tile, When, lasting, listed, many
from staffeln_cli.commands.verdict import verdict

_NAMED = 12
"""So many backups are named each; more are counted by server."""
_EXAMPLES = 5
"""Volumes named of those that are left out for the same reason."""
_RESTORE = (
    "Sent by Staffeln. To get data back, restore a backup under Volumes, Backups in the dashboard,"
    " or with: openstack volume backup restore"
)


def project_page(digest: Digest, when: When) -> Page:
    """The page; sections that have nothing to say are left out."""
    judged = verdict(digest)
    since = f"{when(digest.since)} to " if digest.since else "up to "
    return Page(
        subject=judged.subject,
        kicker="Volume backups of project",
        name=digest.project_name,
        period=since + when(digest.until),
        tone=judged.tone,
        headline=judged.headline,
        tiles=(
            Tile(digest.protected, "protected"),
            Tile(len(digest.made), "backed up"),
            Tile(digest.failed_volumes, "failed", "bad" if digest.failed_volumes else ""),
            Tile(digest.overdue, "overdue", "bad" if digest.overdue else ""),
        ),
        sections=[*_trouble(digest, when), *_rest(digest, when)],
        footer=_RESTORE,
    )


def _trouble(digest: Digest, when: When) -> Iterator[Section]:
    if digest.failures:
        blocks = [listed(_rows(one.lines, when), one.reason) for one in digest.failures]
        yield Section("Failed", many(digest.failed_volumes, "volume"), "bad", blocks)
    if digest.lost:
        blocks = [listed(_rows(digest.lost, when))]
        title = "Lost: deleted by somebody else"
        yield Section(title, many(len(digest.lost), "backup"), "bad", blocks)
    for title, is_waiting, tone in (
        ("Overdue", False, "bad"),
        ("Waiting for the first backup", True, ""),
    ):
        rows = [
            Row(one.volume, one.server, f"since {when(one.since)}", one.why)
            for one in digest.unsafe
            if one.is_waiting is is_waiting
        ]
        if rows:
            yield Section(title, many(len(rows), "volume"), tone, [listed(rows)])


def _rest(digest: Digest, when: When) -> Iterator[Section]:
    if digest.outlook is not None:
        bars = (
            _bar("Backup storage", " GiB", digest.outlook.gigabytes),
            _bar("Backups", "", digest.outlook.backups),
        )
        note = "An incremental backup is charged the full size of its volume."
        yield Section("Quota", bars=bars, note=note)
    if digest.made:
        gib = sum(one.gib for one in digest.made)
        figure = f"{many(len(digest.made), 'backup')}, {gib:,} GiB"
        yield Section("Backed up", figure, blocks=[listed(_made(digest, when))])
    if digest.recovered:
        figure = many(len(digest.recovered), "attempt")
        rows = _rows(digest.recovered, when)
        yield Section("Failed at first, went well later", figure, blocks=[listed(rows)])
    if digest.skipped:
        figure = many(sum(len(one.lines) for one in digest.skipped), "volume")
        left_out = [_left_out(one) for one in digest.skipped]
        yield Section("Not backed up, as configured", figure, blocks=[listed(left_out)])
    yield from _small_print(digest, when)


def _small_print(digest: Digest, when: When) -> Iterator[Section]:
    for title, lines, noun, tone in (
        ("Retention values that cannot be understood", digest.bad_retention, "volume", "fair"),
        ("Cannot be removed yet", digest.stuck, "backup", "fair"),
    ):
        if lines:
            yield Section(title, many(len(lines), noun), tone, [listed(_rows(lines, when))])
    if digest.removed:
        number, gib = sum(one.number for one in digest.removed), sum(o.gib for o in digest.removed)
        figure = f"{many(number, 'backup')}, {gib:,} GiB"
        blocks = [listed([_removed(one, when) for one in digest.removed])]
        yield Section("Expired and removed", figure, blocks=blocks)
    if digest.pinned:
        figure = many(len(digest.pinned), "backup")
        rows = _rows(digest.pinned, when)
        yield Section("Pinned: kept until released", figure, blocks=[listed(rows)])


def _rows(lines: Iterable[Line], when: When) -> Sequence[Row]:
    return [Row(one.volume, one.server, when(one.at), one.note) for one in lines]


def _made(digest: Digest, when: When) -> Sequence[Row]:
    if len(digest.made) <= _NAMED:
        return [
            Row(
                one.volume,
                " · ".join(part for part in (one.server, one.backup) if part),
                f"{one.kind}, {one.gib:,} GiB",
                f"{when(one.finished_at)}, took {lasting(one.started_at, one.finished_at)}",
            )
            for one in digest.made
        ]
    return [
        Row(
            one.server or "no server",
            many(one.volumes, "volume"),
            f"{one.gib:,} GiB",
            f"{one.full:,} full, {one.incremental:,} incremental",
        )
        for one in digest.made_on
    ]


def _removed(one: Removed, when: When) -> Row:
    starts = f"of {when(one.first)}" + (f" to {when(one.last)}" if one.number > 1 else "")
    return Row(one.volume, one.server, many(one.number, "backup"), starts)


def _left_out(group: Grouped) -> Row:
    examples = ", ".join(one.volume for one in group.lines[:_EXAMPLES])
    rest = len(group.lines) - _EXAMPLES
    more = f" and {rest:,} more" if rest > 0 else ""
    return Row(group.reason, examples + more, many(len(group.lines), "volume"))


def _bar(label: str, unit: str, gauge: Gauge) -> Bar:
    if gauge.is_unlimited:
        return Bar(label, f"{gauge.used:,}{unit}, no limit", gauge.colour)
    note = ""
    if gauge.days_left is not None:
        note = f"Full in {many(gauge.days_left, 'day')} at the present rate."
    elif gauge.limit == 0:
        note = "The quota allows no backup at all."
    figure = f"{gauge.used:,} of {gauge.limit:,}{unit}, {gauge.percent:,} %"
    return Bar(label, figure, gauge.colour, gauge.percent, note)
