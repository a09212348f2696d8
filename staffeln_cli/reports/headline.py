"""The one sentence that a report leads with, and the subject line that tells it before."""

from collections.abc import Iterator
from dataclasses import dataclass

from staffeln_cli.reports.model import OperatorSummary, ProjectReport, Trouble
from staffeln_cli.reports.pages.layout import many

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to think of the protection."""

    tone: str
    """`good`, `fair` (look at it some day) or `bad` (protection has slipped)."""
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

    @property
    def is_bad(self) -> bool:
        return bool(self.unprotected or self.trouble.failed or self.trouble.lost)


def of_project(digest: ProjectReport) -> Verdict:
    """Judge a project's digest; the headline says first how many volumes are safe."""
    figures = _Figures(
        digest.protected, digest.unprotected, digest.waiting, digest.overdue, digest.trouble
    )
    is_fair = digest.is_trouble or digest.waiting or not digest.protected
    return Verdict(
        "bad" if figures.is_bad else "fair" if is_fair else "good",
        _headline(figures, "No volume of this project is protected"),
        _subject(digest.project_name, figures),
    )


def of_all(overall: OperatorSummary) -> Verdict:
    """Judge all projects together."""
    unprotected = sum(one.unprotected for one in overall.projects)
    figures = _Figures(
        sum(one.protected for one in overall.projects),
        unprotected,
        sum(one.waiting for one in overall.projects),
        0 if overall.trouble.failed else unprotected,
        overall.trouble,
    )
    tone = "bad" if figures.is_bad else "fair" if overall.is_trouble else "good"
    headline = _headline(figures, "No volume of this cloud is protected")
    return Verdict(tone, headline, _subject(f"all projects of {overall.cloud}", figures))


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
    but = " and ".join(_slips(figures.trouble))
    return f"{all_of_them} protected{f', but {but}' if but else ''}"


def _slips(trouble: Trouble) -> Iterator[str]:
    if trouble.failed:
        yield f"the last backup of {many(trouble.failed, 'volume')} failed"
    if trouble.lost:
        verb = "was" if len(trouble.lost) == 1 else "were"
        yield f"{many(len(trouble.lost), 'backup')} {verb} deleted by somebody else"


def _subject(name: str, figures: _Figures) -> str:
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    number, safe = figures.protected, figures.protected - figures.unprotected - figures.waiting
    if not number:
        told = "nothing protected"
    elif safe < number:
        told = f"{safe:,} of {many(number, 'volume')} protected"
    else:
        told = f"{many(number, 'volume')} protected"
    shouts = (
        (0 if figures.trouble.failed else figures.overdue, "OVERDUE"),
        (figures.trouble.failed, "FAILED"),
        (len(figures.trouble.lost), "LOST"),
    )
    loud = [f"{count:,} {word}" for count, word in shouts if count]
    return f"[Staffeln] {short}: {', '.join([told, *loud])}"
