"""Monitoring output: a line for Nagios, metrics for Prometheus."""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from staffeln_cli.config.files import refuse_replacing
from staffeln_cli.errors import Unavailable
from staffeln_cli.model import State
from staffeln_cli.model.text import one_line
from staffeln_cli.planning.health import Finding, Summary, Tally


def nagios(state: Summary, findings: Iterable[Finding], *, critical: int, warning: int) -> str:
    """The level of the worst finding, all problems, and the figures as performance data."""
    everything = list(findings)
    wrong = [finding for finding in everything if finding.level] or everything[:1]
    text = "; ".join(finding.text for finding in wrong)
    volumes = state.volumes
    figures = [
        f"protected={volumes.protected};;;0",
        f"overdue={volumes.overdue};;{critical};0;{volumes.protected}",
        f"never={volumes.never};{warning};;0;{volumes.protected}",
        f"skipped={volumes.skipped};;;0",
        f"paused={volumes.paused};;;0",
        f"ended={volumes.ended};1;;0",
        f"unknown={volumes.unknown};1;;0",
        f"lost={volumes.lost};;1;0",
        f"future={volumes.future};1;;0",
        f"untracked={state.untracked};1;;0",
        f"proven={volumes.proven};;;0;{volumes.protected}",
        f"shortened={volumes.shortened};1;;0",
        *(f"{name}={number};;;0" for name, number in _all_states(state).items()),
    ]
    for name, moment in (("collect", state.collected_at), ("backup", volumes.oldest_success)):
        if moment is not None:
            age = max(0, int((state.generated_at - moment).total_seconds()))
            figures.append(f"oldest_{name}_age={age}s;;;0")
    return nagios_line(wrong[0].level.name, text, figures)


def nagios_line(level: str, text: str, figures: Iterable[str] = ()) -> str:
    """One line; a `|` would begin the performance data, so it is replaced in texts."""
    line = f"STAFFELN {level} - {one_line(text).replace('|', '/')}"
    data = " ".join(figures)
    return f"{line} | {data}" if data else line


def metrics(state: Summary, version: str) -> str:
    """The state in the text format of Prometheus."""
    return "".join(f"{line}\n" for line in _metrics(state, version))


def _metrics(state: Summary, version: str) -> Iterator[str]:
    about = {"cloud": state.cloud or "", "version": version}
    yield from _gauge("info", "What these metrics are about.", {_labels(**about): 1})
    yield from _of_volumes(state.volumes)
    counts = {_labels(state=name): number for name, number in _all_states(state).items()}
    yield from _gauge("backups", "Backup records by state.", counts)
    text = "Backups of Staffeln's in Cinder that no live record accounts for."
    yield from _gauge("backups_untracked", text, {"": state.untracked})
    text = "Start of the last successful backup of the volume where that is longest ago."
    yield from _moment("oldest_success", text, state.volumes.oldest_success)
    if state.volumes.proofs:
        proofs = {_labels(volume_id=one): _seconds(at) for one, at in state.volumes.proofs.items()}
        text = "End of the last restore drill of the volume that went well."
        yield from _gauge("volume_last_proof_timestamp_seconds", text, proofs)
    text = "Start of the last collect that went through."
    yield from _moment("last_collect", text, state.collected_at)
    text = "When the backups that wait and run should be done."
    yield from _moment("work_done", text, state.work.done_at)
    if state.work.window_suffices is not None:
        text = "Whether all backups that wait can start before backup.window closes."
        yield from _gauge("window_suffices", text, {"": int(state.work.window_suffices)})
    yield from _of_quotas(state)
    yield from _of_runs(state)
    yield from _moment("generated", "When these metrics were written.", state.generated_at)


def _of_volumes(volumes: Tally) -> Iterator[str]:
    for name, number, help_text in (
        ("protected", volumes.protected, "Volumes that must be backed up."),
        ("overdue", volumes.overdue, "Protected volumes without a backup for too long."),
        ("never", volumes.never, "Protected volumes without any successful backup so far."),
        ("skipped", volumes.skipped, "Volumes of marked servers left out on request."),
        ("paused", volumes.paused, "Protected volumes for which nothing is planned."),
        ("paused_overdue", volumes.paused_overdue, "Paused volumes that would be overdue."),
        ("bad_retention", volumes.bad_retention, "Volumes whose retention is not valid."),
        ("protection_ended", volumes.ended, "Volumes whose protection ended lately."),
        ("unknown", volumes.unknown, "Protected volumes unknown to Cinder or Keystone."),
        ("lost", volumes.lost, "Protected volumes whose backups are all missing or broken."),
        ("future", volumes.future, "Volumes with a history that lies in the future."),
        ("proven", volumes.proven, "Protected volumes proven by a drill within verify.every."),
        ("proof_failed", volumes.proof_failed, "Protected volumes whose restore drill failed."),
        ("shortened", volumes.shortened, "Volumes whose shorter retention takes effect soon."),
    ):
        yield from _gauge(f"volumes_{name}", help_text, {"": number})


def _of_quotas(state: Summary) -> Iterator[str]:
    """Labelled by the project's id only: a name may change."""
    labels = {project_id: _labels(project_id=project_id) for project_id in state.quotas}
    limited = {labels[one]: quota for one, quota in state.quotas.items() if quota.gib >= 0}
    if limited:
        text = "GiB that a project's backups may use, when a report last asked."
        values = {label: quota.gib for label, quota in limited.items()}
        yield from _gauge("project_quota_gib", text, values)
        text = "GiB that a project's backups used at that time."
        values = {label: quota.gib_used for label, quota in limited.items()}
        yield from _gauge("project_quota_gib_used", text, values)
    days = {
        labels[one]: quota.days_left(state.generated_at) for one, quota in state.quotas.items()
    }
    if known := {label: number for label, number in days.items() if number is not None}:
        text = "Days until a project's quota of backups is full, where that is within a year."
        yield from _gauge("project_quota_days_left", text, known)


def _of_runs(state: Summary) -> Iterator[str]:
    """Labelled by command only, so that no outcome creates a new series."""
    if not state.runs:
        return
    began = {_labels(command=name): _seconds(run.at) for name, run in state.runs.items()}
    yield from _gauge("last_run_timestamp_seconds", "Start of the newest ended run.", began)
    good = {_labels(command=name): run.outcome == "ok" for name, run in state.runs.items()}
    text = "Whether the newest ended run went through without any failure."
    yield from _gauge("last_run_ok", text, {labels: int(is_ok) for labels, is_ok in good.items()})


def _all_states(state: Summary) -> dict[str, int]:
    """Including zeroes: alerts need series that always exist."""
    return {name.value: state.backups.get(name, 0) for name in State}


def _moment(name: str, help_text: str, moment: datetime | None) -> Iterator[str]:
    if moment is not None:
        yield from _gauge(f"{name}_timestamp_seconds", help_text, {"": _seconds(moment)})


def _gauge(name: str, help_text: str, values: Mapping[str, int]) -> Iterator[str]:
    yield f"# HELP staffeln_{name} {help_text}"
    yield f"# TYPE staffeln_{name} gauge"
    for labels, value in values.items():
        yield f"staffeln_{name}{labels} {value}"


def _labels(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def write(path: Path, text: str) -> None:
    """Replace a file atomically and make it readable for all."""
    try:
        refuse_replacing(path)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), 0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Unavailable(f"{path}: cannot be written: {error.strerror}") from error
