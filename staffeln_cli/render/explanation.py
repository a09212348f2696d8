"""The output of `staffeln explain` for people."""

from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from staffeln_cli.model import (
    Backup,
    BackupRecord,
    DecidedBy,
    InventoryVolume,
    Kind,
    Origin,
    ProofLevel,
    State,
)
from staffeln_cli.model.statuses import BACKUP_BROKEN
from staffeln_cli.model.text import many
from staffeln_cli.planning.explanation import Explanation, FormerBackups, Next
from staffeln_cli.planning.protection.pausing import described
from staffeln_cli.planning.retention.verdicts import Verdict
from staffeln_cli.render.table import safe_text
from staffeln_cli.render.timeline import legend, timeline

_ID_WIDTH = 36
_CONSOLE = 10
"""Lines of a console that are shown; JSON has all that are kept."""
_WIDE = 120
"""Columns of a terminal from which on an id has a column of its own."""
_NARROW = len("2026-11-28 05:28 UTC") + 2 + _ID_WIDTH
"""Columns of a terminal below which the start has none either."""


def show(explained: Explanation, now: datetime) -> None:
    """Print the reasons, the next backup, and what happens to each backup."""
    console = Console(highlight=False)
    for line in _sentences(explained, now):
        console.print(line)
    if not explained.verdicts:
        console.print("\nIt has no backups.")
        return
    console.print()
    console.print(timeline(explained.verdicts, now, console.width))
    console.print(legend(explained.verdicts))
    console.print()
    console.print(_table(explained, console.width))


_WHOSE = {
    DecidedBy.VOLUME: "the volume's own metadata decide",
    DecidedBy.SERVER: "its server's metadata decide",
    DecidedBy.DEFAULT: "the configuration decides",
}


def _sentences(explained: Explanation, now: datetime) -> list[Text]:
    volume = explained.volume
    where = f"{volume.volume_name or 'without a name'} ({volume.volume_id})"
    server = f" of server {volume.server_name}" if volume.server_name else ""
    project = explained.project_name or volume.project_id
    lines = [safe_text(f"Volume {where}{server}, project {project}", style="bold")]
    lines.append(_protection(volume))
    if explained.pause is not None:
        lines.append(safe_text(f"No backups are planned: {described(explained.pause)}.", "yellow"))
    lines += _what_comes(explained, now)
    decided_by = volume.retention_decided_by
    whose = f" ({_WHOSE[decided_by]})" if decided_by is not None else ""
    held = safe_text(f"Retention: {explained.retention}{whose}.")
    if volume.bad_retention is not None:
        bad = f"Its metadata says {volume.bad_retention}, which is not a valid retention."
        held = Text(" ").join((held, safe_text(bad, style="yellow")))
    lines.append(held)
    lines += [_of_former_owner(one) for one in explained.former]
    lines += _proof(explained)
    if not explained.from_cloud:
        note = (
            "This is from Staffeln's database alone, without Cinder: backups made by others are"
            " not shown."
        )
        lines.append(safe_text(note, style="yellow"))
    return lines


def _of_former_owner(former: FormerBackups) -> Text:
    name = former.project_name
    project = f"{name} ({former.project_id})" if name else former.project_id
    number, held = many(former.number, "backup"), f"their retention is {former.retention}"
    if former.retention is None:
        held = "they are all kept, because their retention was not known when it left"
    return safe_text(f"Project {project} owned it before and has {number} of it; {held}.")


def _proof(explained: Explanation) -> list[Text]:
    volume, drill, lines = explained.volume, explained.proof, list[Text]()
    if volume.proof_failed_at is not None:
        text = f"A restore drill of it FAILED on {_when(volume.proof_failed_at)}."
        lines.append(safe_text(text, style="bold red"))
    if volume.proven_at is not None:
        booted = drill is not None and drill.level is ProofLevel.BOOTED
        text = f"restored{' and booted' if booted else ''} for proof on {_when(volume.proven_at)}"
        lines.append(safe_text(f"A backup of it was {text}.", style="green"))
    if drill is not None and drill.reason is not None:
        lines.append(safe_text(f"Of its last restore drill: {drill.reason}."))
    if drill is not None and drill.console:
        last = drill.console.splitlines()[-_CONSOLE:]
        lines.append(safe_text("The last lines of its console:", style="dim"))
        lines += [Text.assemble("  ", safe_text(line, style="dim")) for line in last]
    if explained.recovery is not None:
        lines.append(safe_text(f"A restore of its newest backup takes {explained.recovery.text}."))
    if explained.server_recovery is not None:
        text = f"A restore of all volumes of its server takes {explained.server_recovery.text}."
        lines.append(safe_text(text))
    return lines


def _protection(volume: InventoryVolume) -> Text:
    if volume.gone_at is not None:
        since = _when(volume.gone_at)
        return safe_text(f"It has been gone since {since}; its backups keep their retention.")
    decided_by = volume.protection_decided_by
    whose = f" ({_WHOSE[decided_by]})" if decided_by is not None else ""
    if volume.protected:
        return safe_text(f"It is protected{whose}.", style="green")
    reason = volume.skip_reason or "no reason is recorded"
    return safe_text(f"It is not backed up: {reason}{whose}.")


def _what_comes(explained: Explanation, now: datetime) -> list[Text]:
    lines = []
    for record in explained.unfinished:
        reason = f" ({record.reason})" if record.reason else ""
        lines.append(safe_text(f"In progress: {record.name} is {record.state}{reason}."))
    following = explained.next
    if following is None or explained.pause is not None:
        return lines
    if all(_is_scheduled(record) for record in explained.unfinished):
        lines += _window(following)
    if explained.unfinished:
        return lines
    when = "now" if following.due_at <= now else _when(following.due_at)
    kind, reason = following.backup.kind, following.backup.reason
    article = "a" if kind is Kind.FULL else "an"
    lines.insert(0, safe_text(f"Next: {article} {kind} backup, due {when}: {reason}."))
    if following.is_overdue:
        text = f"It is OVERDUE: {_why_overdue(explained.volume)}."
        lines.append(safe_text(text, style="bold red"))
    return lines


def _why_overdue(volume: InventoryVolume) -> str:
    if volume.unrestorable_since is not None:
        since = _when(volume.unrestorable_since)
        return f"no backup of it can be restored, since {since}: all are missing or broken"
    if volume.last_success_at is not None:
        return f"the last successful one started {_when(volume.last_success_at)}"
    return "none ever succeeded"


def _is_scheduled(record: BackupRecord) -> bool:
    return record.state is State.PLANNED and record.origin is Origin.SCHEDULED


def _window(following: Next) -> list[Text]:
    if following.opens_at is None:
        return []
    return [safe_text(f"It starts in backup.window, from {_when(following.opens_at)} on.")]


def _table(explained: Explanation, width: int) -> Table:
    """An id is for pasting, so it is never cut: on a narrow terminal it has a line of its own."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    if width < _NARROW:
        table.add_column("started, why", overflow="fold")
        for verdict in explained.verdicts:
            started, why = _narrow_row(explained, verdict)
            table.add_row(Text(" ").join((started, why)))
        return table
    is_wide = width >= _WIDE
    for name in ("started", "", "kind", "backup") if is_wide else ("started",):
        table.add_column(name, no_wrap=True)
    table.add_column("why", overflow="fold", min_width=_ID_WIDTH)
    row = _wide_row if is_wide else _narrow_row
    for verdict in explained.verdicts:
        table.add_row(*row(explained, verdict))
    return table


def _wide_row(explained: Explanation, verdict: Verdict) -> tuple[Text, ...]:
    backup = verdict.member.backup
    why = safe_text(_why(verdict))
    if backup.id in explained.unrestorable:
        why = Text("; ").join((safe_text(_loss(backup), style="bold red"), why))
    return (
        safe_text(_when(verdict.member.started_at)),
        _fate(verdict),
        Text("incremental" if backup.is_incremental else "full"),
        safe_text(backup.id),
        why,
    )


def _narrow_row(explained: Explanation, verdict: Verdict) -> tuple[Text, Text]:
    started, fate, kind, backup_id, why = _wide_row(explained, verdict)
    backup_id.stylize("dim")
    first = Text(" ").join((fate, Text.assemble(kind, ":"), why))
    return started, Text("\n").join((first, backup_id))


def _fate(verdict: Verdict) -> Text:
    return Text("keep", style="green") if verdict.keep else Text("remove", style="red")


def _loss(backup: Backup) -> str:
    if backup.status in BACKUP_BROKEN:
        return f"cannot be restored, Cinder says {backup.status}"
    return "cannot surely be restored, it may depend on a backup that is broken or gone"


def _why(verdict: Verdict) -> str:
    record = verdict.member.record
    note = f": {record.pin_note}" if record is not None and record.pin_note else ""
    is_said = verdict.earliest == verdict.keep_reason.until
    end = f"; may go from {_when(verdict.earliest)}" if verdict.earliest and not is_said else ""
    return f"{verdict.reason}{note}{end}"


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
