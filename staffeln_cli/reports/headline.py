"""The headline of a report, and the subject of its mail."""

from collections.abc import Iterator
from dataclasses import dataclass

from staffeln_cli.model.text import many
from staffeln_cli.reports.model import OperatorSummary, ProjectReport, Trouble

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """How good the protection is."""

    tone: str
    """`good`, `fair` (look at it when there is time) or `bad` (protection is lost)."""
    headline: str
    subject: str


@dataclass(frozen=True, slots=True)
class _Figures:
    """What a verdict depends on, for one project or for all."""

    protected: int
    unprotected: int
    waiting: int
    overdue: int
    trouble: Trouble
    unproven: int

    @property
    def is_bad(self) -> bool:
        trouble = self.trouble
        is_lost = trouble.failed or trouble.lost or trouble.broken
        return bool(self.unprotected or is_lost or self.unproven)


def of_project(report: ProjectReport) -> Verdict:
    """Judge a project's report; the headline begins with the number of protected volumes."""
    figures = _Figures(
        report.protected,
        report.unprotected,
        report.waiting,
        report.overdue,
        report.trouble,
        len(report.proofs.failed),
    )
    is_fair = report.is_trouble or report.waiting or report.paused or not report.protected
    return Verdict(
        "bad" if figures.is_bad else "fair" if is_fair else "good",
        _headline(figures, "No volume of this project is protected"),
        _subject(report.project_name, figures),
    )


def of_all(summary: OperatorSummary) -> Verdict:
    """Judge all projects together."""
    unprotected = sum(project.unprotected for project in summary.projects)
    figures = _Figures(
        sum(project.protected for project in summary.projects),
        unprotected,
        sum(project.waiting for project in summary.projects),
        0 if summary.trouble.failed else unprotected,
        summary.trouble,
        len(summary.proofs.failed),
    )
    tone = "bad" if figures.is_bad else "fair" if summary.is_trouble else "good"
    headline = _headline(figures, "No volume of this cloud is protected")
    return Verdict(tone, headline, _subject(f"all projects of {summary.cloud}", figures))


def _headline(figures: _Figures, nothing: str) -> str:
    number = figures.protected
    if not number:
        return nothing
    if figures.unprotected:
        verb = "is" if figures.unprotected == 1 else "are"
        return f"{figures.unprotected:,} of {many(number, 'volume')} {verb} not protected"
    if figures.waiting:
        verb = "waits" if figures.waiting == 1 else "wait"
        return f"{figures.waiting:,} of {many(number, 'volume')} {verb} for the first backup"
    all_of_them = f"All {number:,} volumes are" if number > 1 else "The one volume is"
    but = " and ".join(_slips(figures))
    return f"{all_of_them} protected{f', but {but}' if but else ''}"


def _slips(figures: _Figures) -> Iterator[str]:
    trouble = figures.trouble
    if figures.unproven:
        yield f"a backup of {many(figures.unproven, 'volume')} could not be restored on trial"
    if trouble.failed:
        yield f"the last backup of {many(trouble.failed, 'volume')} failed"
    if trouble.lost:
        verb = "was" if len(trouble.lost) == 1 else "were"
        yield f"{many(len(trouble.lost), 'backup')} {verb} deleted by someone else"
    if trouble.broken:
        yield f"{many(len(trouble.broken), 'backup')} cannot be restored any more"


def _subject(name: str, figures: _Figures) -> str:
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    number, safe = figures.protected, figures.protected - figures.unprotected - figures.waiting
    if not number:
        gist = "nothing protected"
    elif safe < number:
        gist = f"{safe:,} of {many(number, 'volume')} protected"
    else:
        gist = f"{many(number, 'volume')} protected"
    shouts = (
        (0 if figures.trouble.failed else figures.overdue, "OVERDUE"),
        (figures.trouble.failed, "FAILED"),
        (len(figures.trouble.lost), "LOST"),
        (len(figures.trouble.broken), "BROKEN"),
        (figures.unproven, "NOT RESTORABLE"),
    )
    loud = [f"{count:,} {word}" for count, word in shouts if count]
    return f"[Staffeln] {short}: {', '.join([gist, *loud])}"
