"""Projects: those that Keystone lists, and those that it does not list without being gone."""

from datetime import datetime

from staffeln_cli.model import Project, ProjectId
from staffeln_cli.operations.absence import ALWAYS, Kind, Suspect, confirm
from staffeln_cli.planning.evidence import Confirmation, believed
from staffeln_cli.runtime import Run


def judge_projects(
    run: Run,
    listed: dict[ProjectId, Project],
    confirmation: Confirmation,
    now: datetime,
) -> dict[ProjectId, Project]:
    """The projects by which volumes are judged; what is known of them is brought up to date.

    A known project that Keystone does not list is unknown until it is gone: until then it counts
    as it was last seen.
    """
    known = run.store.projects.known()
    unlisted = [project for project in known.values() if project.id not in listed]
    suspected = run.store.projects.suspected() if unlisted else {}
    suspects = [
        Suspect(one, one.id, ALWAYS, suspected.get(one.id), name=one.name) for one in unlisted
    ]
    found: dict[ProjectId, Project] = {}

    def is_there(project: Project) -> bool:
        shown = run.cloud.lookups.project(project.id)
        if shown is not None:
            found[shown.id] = shown
        return shown is not None

    kind = Kind("project", len(known), confirmation)
    findings = confirm(run, kind, suspects, is_there)
    shown = {**listed, **found}
    if not run.dry_run:
        projects = run.store.projects
        projects.save([p for p in shown.values() if known.get(p.id) != p or p.id in suspected])
        projects.note_suspected(
            (one.id for one in findings.suspected if believed(suspected.get(one.id), now) is None),
            now,
        )
        projects.note_gone((one.id for one in findings.gone), now)
    unknown = {one.id: one for one in (*findings.suspected, *findings.unproven)}
    return {**unknown, **shown}
