"""The operator's summary as a page: the projects that need attention first."""

from collections.abc import Iterator, Sequence

from staffeln_cli.model.text import many
from staffeln_cli.reports.headline import of_all
from staffeln_cli.reports.model import OperatorSummary, ProjectState
from staffeln_cli.reports.pages.layout import Page, Row, Section, Tile, When, listed, noted
from staffeln_cli.reports.pages.project import (
    ended_section,
    rows_of,
    shortened_section,
    trouble_sections,
    unproven_section,
)


def operator_page(summary: OperatorSummary, when: When) -> Page:
    """Build the page; empty sections are left out."""
    judged = of_all(summary)
    unwell = sum(not project.is_well for project in summary.projects)
    failed = summary.trouble.failed
    return Page(
        subject=judged.subject,
        kicker="Volume backups of all projects",
        name=f"Cloud {summary.cloud}" if summary.cloud else "All projects",
        period=f"{when(summary.since)} to {when(summary.until)}",
        tone=judged.tone,
        headline=judged.headline,
        tiles=(
            Tile(len(summary.projects), "projects"),
            Tile(unwell, "with trouble", "bad" if unwell else ""),
            Tile(sum(project.made for project in summary.projects), "backed up"),
            Tile(failed, "failed", "bad" if failed else ""),
        ),
        sections=[*_sections(summary, when)],
        footer="Sent by Staffeln. For details: staffeln status, staffeln explain VOLUME",
    )


def _sections(summary: OperatorSummary, when: When) -> Iterator[Section]:
    unwell = [_row(project) for project in summary.projects if not project.is_well]
    if unwell:
        yield Section(
            "Projects with trouble", many(len(unwell), "project"), "bad", [listed(unwell)]
        )
    if summary.unsent:
        rows = [noted(Row(name), why) for name, why in summary.unsent]
        yield Section("Reports not sent", many(len(rows), "project"), "bad", [listed(rows)])
    if summary.runs:
        rows = [Row(f"staffeln {name}", when(at), how) for name, how, at in summary.runs]
        yield Section(
            "Runs that did not go well", many(len(rows), "command"), "fair", [listed(rows)]
        )
    if summary.findings:
        rows = [Row(text) for text in summary.findings]
        yield Section("To be looked into", many(len(rows), "finding"), "fair", [listed(rows)])
    yield from unproven_section(summary.proofs.failed, when)
    yield from ended_section(summary.ended, when)
    yield from shortened_section(summary.shortened, when)
    yield from trouble_sections(summary.trouble, when)
    if summary.bad_retention:
        title, figure = "Retention not understood", many(len(summary.bad_retention), "volume")
        blocks = [listed(rows_of(summary.bad_retention, when))]
        yield Section(title, figure, "fair", blocks)
    if summary.foreign:
        blocks = [listed([Row("staffeln doctor --orphans shows whose they are")])]
        yield Section(
            "Backups of other installations", many(summary.foreign, "backup"), blocks=blocks
        )
    well = [_row(project) for project in summary.projects if project.is_well]
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
