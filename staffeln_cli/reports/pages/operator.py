"""The operator's digest as a page: the projects that need somebody first."""

from collections.abc import Iterator, Sequence

from staffeln_cli.reports.headline import of_all
from staffeln_cli.reports.model import OperatorSummary, ProjectState
from staffeln_cli.reports.pages.layout import Page, Row, Section, Tile, When, listed, many, noted
from staffeln_cli.reports.pages.project import rows_of, trouble_sections


def operator_page(overall: OperatorSummary, when: When) -> Page:
    """The page; sections that have nothing to say are left out."""
    judged = of_all(overall)
    unwell = sum(not one.is_well for one in overall.projects)
    failed = overall.trouble.failed
    return Page(
        subject=judged.subject,
        kicker="Volume backups of all projects",
        name=f"Cloud {overall.cloud}" if overall.cloud else "All projects",
        period=f"{when(overall.since)} to {when(overall.until)}",
        tone=judged.tone,
        headline=judged.headline,
        tiles=(
            Tile(len(overall.projects), "projects"),
            Tile(unwell, "with trouble", "bad" if unwell else ""),
            Tile(sum(one.made for one in overall.projects), "backed up"),
            Tile(failed, "failed", "bad" if failed else ""),
        ),
        sections=[*_sections(overall, when)],
        footer="Sent by Staffeln. Lookups closer with: staffeln status, staffeln explain VOLUME",
    )


def _sections(overall: OperatorSummary, when: When) -> Iterator[Section]:
    unwell = [_row(one) for one in overall.projects if not one.is_well]
    if unwell:
        yield Section(
            "Projects with trouble", many(len(unwell), "project"), "bad", [listed(unwell)]
        )
    if overall.unsent:
        rows = [noted(Row(name), why) for name, why in overall.unsent]
        yield Section("Not told", many(len(rows), "project"), "bad", [listed(rows)])
    if overall.runs:
        rows = [Row(f"staffeln {name}", when(at), how) for name, how, at in overall.runs]
        yield Section(
            "Runs that did not go well", many(len(rows), "command"), "fair", [listed(rows)]
        )
    yield from trouble_sections(overall.trouble, when)
    if overall.bad_retention:
        title, figure = "Retention not understood", many(len(overall.bad_retention), "volume")
        blocks = [listed(rows_of(overall.bad_retention, when))]
        yield Section(title, figure, "fair", blocks)
    well = [_row(one) for one in overall.projects if one.is_well]
    if well:
        blocks = [listed(well)]
        yield Section("Projects where all is well", many(len(well), "project"), blocks=blocks)


def _row(project: ProjectState) -> Row:
    slips: Sequence[tuple[int, str]] = (
        (project.unprotected, "not protected"),
        (project.failed, "failed"),
        (project.waiting, "waiting"),
    )
    said = ", ".join(f"{number:,} {what}" for number, what in slips if number)
    below = many(project.protected, "protected volume")
    return Row(project.name, below, said, f"{many(project.made, 'backup')} made")
