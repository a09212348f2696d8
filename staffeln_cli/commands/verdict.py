"""The one sentence that a report leads with, and the subject line that tells it before."""

from collections.abc import Iterator
from dataclasses import dataclass

from staffeln_cli.commands.digest import Digest
from staffeln_cli.commands.page import many

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to think of a project's protection."""

    tone: str
    """`good`, `fair` (look at it some day) or `bad` (protection has slipped)."""
    headline: str
    subject: str


def verdict(digest: Digest) -> Verdict:
    """Judge a digest; the headline says first how many volumes are safe."""
    tone = "good"
    if digest.is_trouble or digest.waiting or not digest.protected:
        tone = "fair"
    if digest.overdue or digest.failed_volumes or digest.lost:
        tone = "bad"
    return Verdict(tone, _headline(digest), subject(digest.project_name, _told(digest)))


def subject(name: str, told: str) -> str:
    """A subject line for one project, or for all."""
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    return f"[Staffeln] {short}: {told}"


def _headline(digest: Digest) -> str:
    number = digest.protected
    if not number:
        return "No volume of this project is protected"
    if digest.overdue:
        verb = "is" if digest.overdue == 1 else "are"
        return f"{digest.overdue:,} of {many(number, 'volume')} {verb} not protected"
    if digest.waiting:
        verb = "waits" if digest.waiting == 1 else "wait"
        return f"{digest.waiting:,} of {many(number, 'volume')} {verb} for the first backup"
    all_of_them = f"All {number:,} volumes are" if number > 1 else "The one volume is"
    but = [*_troubles(digest)]
    return f"{all_of_them} protected{', but ' + ' and '.join(but) if but else ''}"


def _troubles(digest: Digest) -> Iterator[str]:
    if digest.failed_volumes:
        yield f"the last backup of {many(digest.failed_volumes, 'volume')} failed"
    if digest.lost:
        verb = "was" if len(digest.lost) == 1 else "were"
        yield f"{many(len(digest.lost), 'backup')} {verb} deleted by somebody else"


def _told(digest: Digest) -> str:
    number, safe = digest.protected, digest.protected - len(digest.unsafe)
    if not number:
        told = "nothing protected"
    elif safe < number:
        told = f"{safe:,} of {many(number, 'volume')} protected"
    else:
        told = f"{many(number, 'volume')} protected"
    marks = ((digest.failed_volumes, "FAILED"), (len(digest.lost), "LOST"))
    shouts = [f"{count:,} {word}" for count, word in marks if count]
    if digest.overdue and not digest.failed_volumes:
        shouts.insert(0, f"{digest.overdue:,} OVERDUE")
    return ", ".join([told, *shouts])
