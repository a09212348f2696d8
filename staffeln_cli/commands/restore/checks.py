"""What is looked at before anything is made: chain, volume type, encryption, quota."""

from collections.abc import Iterable, Iterator, Sequence

from staffeln_cli.commands.restore.plan import Plan, failed
from staffeln_cli.errors import CloudUnavailable
from staffeln_cli.model import ProjectId
from staffeln_cli.planning.restoring import encryption_problem, quota_problem
from staffeln_cli.runtime import Run


def possible(run: Run, plans: Sequence[Plan]) -> list[Plan]:
    """The plans that can be carried out; each other one is named, with one sentence."""
    good: list[Plan] = []
    types = _VolumeTypes(run, plans)
    for plan in plans:
        problem = _chain_problem(plan) or types.problem(plan)
        if problem is None:
            good.append(plan)
        else:
            failed(run, plan.backup, problem)
    return list(_within_quota(run, good))


def _chain_problem(plan: Plan) -> str | None:
    status = plan.backup.status
    if status != "available":
        return f"is in status {status}; Cinder restores only what is available"
    if not plan.choice.is_whole:
        return (
            "a backup that it may depend on is missing or in error, so that Cinder cannot restore"
            " it; to restore an older one: staffeln restore --volume VOLUME --at TIME"
        )
    return None


class _VolumeTypes:
    """The types of the cloud, and whether they encrypt, asked for once each."""

    def __init__(self, run: Run, plans: Iterable[Plan]) -> None:
        self._run = run
        self._by_name: dict[str, str] = {}
        self._encrypted: dict[str, bool] = {}
        if any(plan.new.volume_type for plan in plans):
            for one in run.cloud.restore_lookups.volume_types():
                self._by_name |= {one.id: one.id, one.name: one.id}

    def problem(self, plan: Plan) -> str | None:
        """Why a volume of the planned type cannot be made of the backup."""
        name = plan.new.volume_type
        if name is None:
            return None
        type_id = self._by_name.get(name)
        if type_id is None:
            return f"there is no volume type {name!r} any more; choose another with --type"
        if type_id not in self._encrypted:
            self._encrypted[type_id] = self._run.cloud.restore_lookups.is_encrypted(type_id)
        problem = encryption_problem(plan.source, name, type_encrypts=self._encrypted[type_id])
        return None if problem is None else f"{problem}; choose another with --type"


def _within_quota(run: Run, plans: Sequence[Plan]) -> Iterator[Plan]:
    """The plans of the projects that have room for all of theirs."""
    of_project: dict[ProjectId, list[Plan]] = {}
    for plan in plans:
        of_project.setdefault(plan.backup.project_id, []).append(plan)
    for project_id, group in of_project.items():
        problem = _quota_problem(run, project_id, group)
        if problem is None:
            yield from group
        else:
            run.fail("project", project_id, f"nothing was restored in it: {problem}")
            run.count("failed", len(group))


def _quota_problem(run: Run, project_id: ProjectId, plans: Sequence[Plan]) -> str | None:
    try:
        quotas = run.cloud.restore_lookups.volume_quotas(project_id)
    except CloudUnavailable as error:
        return f"its quota could not be looked up: {error}"
    room = {name: quota.left for name, quota in quotas.items()}
    return quota_problem([plan.new for plan in plans], room)
