"""Checks of the cloud: login, roles, clock, backup services, quotas."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from staffeln_cli.cloud import Quota, Quotas
from staffeln_cli.commands.doctor.check import (
    Check,
    CheckContext,
    misconfigured,
    ok,
    unreachable,
    warning,
)
from staffeln_cli.errors import CloudUnavailable, NotAdmin
from staffeln_cli.model import Project, ProjectId
from staffeln_cli.model.durations import Duration
from staffeln_cli.planning.evidence import CLOCK_TOLERANCE

_NOTABLE_SKEW = timedelta(minutes=1)
_MOST_QUOTAS = 50
"""Projects whose quota is checked: those with the most to back up."""
_NAMED = 5
"""Projects named in one line."""


def login(context: CheckContext) -> Iterator[Check]:
    """Whether the login works and can list all projects."""
    cloud = context.runtime.cloud
    cloud.name_unreadable(context.note_unreadable)
    try:
        login = cloud.login()
    except NotAdmin:
        if cloud.lookups.has_application_credential():
            yield _application_credential()
        raise
    yield ok(
        f"{login.user_name} at {login.cloud.auth_url}, with the roles {', '.join(login.roles)}"
        f" on project {login.project_id}"
    )


def _application_credential() -> Check:
    # Keystone: "Application credentials cannot request a scope", nor are their tokens rescoped.
    return misconfigured(
        "the login is an application credential, which is valid for one project only; Staffeln"
        " needs a token of each volume's own project to make its backups",
        "use a user with a password in clouds.yaml",
    )


def clock(context: CheckContext) -> Iterator[Check]:
    """Whether this host's clock is right; ages are computed with it."""
    skew = context.runtime.cloud.clock_skew(context.runtime.now())
    if skew is None:
        yield ok("the cloud's services send no time to compare with")
        return
    shown = Duration(exact=abs(timedelta(seconds=round(skew.total_seconds()))))
    side = "ahead of" if skew > timedelta() else "behind"
    text = f"this host's clock is {shown} {side} the cloud's"
    advice = "let NTP or chrony set the clock; every pass stops from 5 minutes on"
    if abs(skew) > CLOCK_TOLERANCE:
        yield unreachable(text, advice)
    elif abs(skew) > _NOTABLE_SKEW:
        yield warning(text, advice)
    else:
        yield ok("this host and the cloud agree on the time")


def same_cloud(context: CheckContext) -> Iterator[Check]:
    """Whether the database was filled from this cloud and region."""
    store, login = context.runtime.store, context.runtime.cloud.login()
    store.cloud.belongs_to(login.cloud, remember=False)
    region = f" (region {login.cloud.region})" if login.cloud.region else ""
    known = "belongs to" if store.cloud.name() is not None else "is new, and will belong to"
    yield ok(f"the database {known} the cloud at {login.cloud.auth_url}{region}")


def projects(context: CheckContext) -> Iterator[Check]:
    """Whether there is a role in each enabled project; backups need one."""
    cloud = context.runtime.cloud
    if cloud.lookups.has_application_credential():
        yield _application_credential()
        return
    mine = cloud.lookups.my_projects()
    enabled = [project for project in cloud.listings.projects() if project.enabled]
    barred = [one for one in enabled if one.id not in mine]
    urgent = [one for one in barred if one.id in context.protected]
    user = cloud.login().user_id
    if urgent:
        yield misconfigured(
            f"no role in {_names(urgent)}, with volumes to protect", _grant(user, urgent)
        )
    if others := [one for one in barred if one.id not in context.protected]:
        yield warning(
            f"no role in {_names(others)}: volumes there could not be backed up",
            _grant(user, others),
        )
    if not barred:
        yield ok(f"a role in each of {len(enabled):,} enabled projects")


def _names(projects: list[Project]) -> str:
    names = ", ".join(project.name for project in projects[:_NAMED])
    more = len(projects) - _NAMED
    count = f"{len(projects):,} project{'s' if len(projects) > 1 else ''}"
    return f"{count} ({names}{f' and {more:,} more' if more > 0 else ''})"


def _grant(user: str, projects: list[Project]) -> str:
    if len(projects) == 1:
        return f"openstack role add --user {user} --project {projects[0].id} member"
    domains = sorted({project.domain_id for project in projects})
    return "; ".join(
        f"openstack role add --user {user} --domain {one} --inherited member" for one in domains
    )


def backup_services(context: CheckContext) -> Iterator[Check]:
    """Whether a backup service is up in each zone that has one."""
    services = context.runtime.cloud.lookups.backup_services()
    if not services:
        yield unreachable("Cinder shows no cinder-backup service", "deploy cinder-backup")
        return
    good = [service for service in services if service.is_up and service.is_enabled]
    for one in services:
        if not one.is_up:
            yield warning(f"cinder-backup on {one.host} (zone {one.zone}) is down")
        elif not one.is_enabled:
            yield warning(f"cinder-backup on {one.host} (zone {one.zone}) is disabled")
    for zone in sorted({service.zone for service in services} - {one.zone for one in good}):
        advice = "start or enable one: openstack volume service list"
        yield unreachable(f"no cinder-backup is up and enabled in zone {zone}", advice)
    if good:
        yield ok(f"{len(good)} of {len(services)} cinder-backup services up and enabled")


def quotas(context: CheckContext) -> Iterator[Check]:
    """Whether one more backup of each protected volume fits into its project's quota."""
    chosen = sorted(context.protected, key=lambda one: -context.protected[one][1])[:_MOST_QUOTAS]
    with ThreadPoolExecutor(context.loaded.settings.cloud.workers) as pool:
        answers = list(pool.map(lambda one: _quota(context, one), chosen))
    names = context.runtime.store.projects.names()
    found = [
        _room(names.get(one, one), one, answer, *context.protected[one])
        for one, answer in zip(chosen, answers, strict=True)
    ]
    tight = [one for one in found if one is not None]
    yield from tight
    if not tight:
        seen = f"checked {len(chosen):,} of {len(context.protected):,} projects with any"
        yield ok(f"room for one more backup of each protected volume; {seen}")


def _quota(context: CheckContext, project_id: ProjectId) -> Quotas | CloudUnavailable:
    try:
        return context.runtime.cloud.lookups.quotas(project_id)
    except CloudUnavailable as error:
        return error


def _room(
    name: str, project_id: ProjectId, answer: Quotas | CloudUnavailable, number: int, gib: int
) -> Check | None:
    if isinstance(answer, CloudUnavailable):
        return warning(f"project {name}: quota not known: {answer}")
    wanted = (
        ("backups", number, answer.backups),
        ("backup-gigabytes", gib, answer.gigabytes),
    )
    short = [one for one in wanted if _lacks(one[2], one[1])]
    if not short:
        return None
    seen = " and ".join(
        f"{quota.used:,} of {quota.limit:,} {kind.replace('backup-gigabytes', 'GiB')} used"
        for kind, _, quota in short
    )
    flags = " ".join(f"--{kind} {quota.used + needed}" for kind, needed, quota in short)
    return warning(
        f"project {name}: {seen}; no room for the next backups of its protected volumes"
        f" ({number:,}, {gib:,} GiB)",
        f"openstack quota set {flags} {project_id}, or a shorter retention",
    )


def _lacks(quota: Quota, needed: int) -> bool:
    return 0 <= quota.limit < quota.used + needed
