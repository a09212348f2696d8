"""Keystone's lists: projects, users, groups, roles and who has which role where."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from urllib.parse import urlencode

from staffeln_cli.demo.simcloud.calls import Call, Reply
from staffeln_cli.demo.simcloud.errors import identity_refused
from staffeln_cli.demo.simcloud.rows import Grant, Project, User
from staffeln_cli.demo.simcloud.tokens import DOMAIN
from staffeln_cli.demo.simcloud.world import IMPLIED

Body = dict[str, object]


def projects(call: Call) -> Reply:
    _need_admin(call, "list_projects")
    rows = [_project(call, project) for project in call.world.identity.projects.values()]
    return _listed(call, "projects", rows)


def my_projects(call: Call) -> Reply:
    """GET /v3/auth/projects: every project the caller could have a token for."""
    user_id = call.token().user_id
    mine = [
        _project(call, project)
        for project in call.world.identity.projects.values()
        if project.enabled and call.world.roles(user_id, project.id)
    ]
    return _listed(call, "projects", mine)


def project(call: Call) -> Reply:
    wanted = call.name("id")
    found = call.world.identity.projects.get(wanted)
    if found is None or wanted != call.token().project_id:
        _need_admin(call, "get_project")
    if found is None:
        raise identity_refused(404, f"Could not find project: {wanted}.")
    return Reply(200, {"project": _project(call, found)})


def users(call: Call) -> Reply:
    _need_admin(call, "list_users")
    return _listed(call, "users", [_user(call, u) for u in call.world.identity.users.values()])


def user(call: Call) -> Reply:
    wanted = call.name("id")
    if wanted != call.token().user_id:
        _need_admin(call, "get_user")
    found = call.world.identity.users.get(wanted)
    if found is None:
        raise identity_refused(404, f"Could not find user: {wanted}.")
    return Reply(200, {"user": _user(call, found)})


def groups(call: Call) -> Reply:
    _need_admin(call, "list_groups")
    rows: list[Body] = [
        {"id": group.id, "name": group.name, "domain_id": "default", "description": ""}
        for group in call.world.identity.groups.values()
    ]
    return _listed(call, "groups", rows)


def group_users(call: Call) -> Reply:
    _need_admin(call, "list_users_in_group")
    found = call.world.identity.groups.get(call.name("id"))
    if found is None:
        raise identity_refused(404, f"Could not find group: {call.name('id')}.")
    members = [_user(call, call.world.identity.users[member]) for member in found.members]
    return _listed(call, "users", members)


def roles(call: Call) -> Reply:
    _need_admin(call, "list_roles")
    rows: list[Body] = [
        {"id": role_id, "name": name, "domain_id": None, "description": None, "options": {}}
        for name, role_id in call.world.identity.roles.items()
    ]
    return _listed(call, "roles", rows)


def domains(call: Call) -> Reply:
    _need_admin(call, "list_domains")
    domain: Body = {"description": "The default domain", "enabled": True, "tags": [], **DOMAIN}
    return _listed(call, "domains", [domain])


def role_assignments(call: Call) -> Reply:
    """List grants; `effective` puts the members in place of a group, and adds implied roles."""
    _need_admin(call, "list_role_assignments")
    if call.query.get("scope.project.id") == "":
        text = (
            "Invalid input for field/attribute scope.project.id. Value: . '' should be non-empty"
        )
        raise identity_refused(400, text)
    if "effective" in call.query and "group.id" in call.query:
        raise identity_refused(400, "Combining effective and group filter will always be empty.")
    rows = [
        _assignment(call, grant)
        for grant in _grants(call)
        if all(_fits(grant, call, key) for key in call.query)
    ]
    links = {"next": None, "self": _here(call, call.query), "previous": None}
    return Reply(200, {"role_assignments": rows, "links": links})


def _grants(call: Call) -> Iterator[Grant]:
    for grant in chain.from_iterable(call.world.identity.grants.values()):
        if "effective" not in call.query:
            yield grant
            continue
        for user_id in call.world.holders(grant):
            for role in IMPLIED.get(grant.role, (grant.role,)):
                yield Grant(role, grant.project_id, user_id=user_id)


def _fits(grant: Grant, call: Call, key: str) -> bool:
    values = {
        "scope.project.id": grant.project_id,
        "user.id": grant.user_id,
        "group.id": grant.group_id,
        "role.id": call.world.role_id(grant.role),
    }
    return key not in values or values[key] == call.query[key]


def _assignment(call: Call, grant: Grant) -> Body:
    identity = call.world.identity
    project: Body = {"id": grant.project_id}
    role: Body = {"id": call.world.role_id(grant.role)}
    kind = "user" if grant.user_id else "group"
    holder: Body = {"id": grant.user_id or grant.group_id}
    if "include_names" in call.query:
        project |= {"name": identity.projects[grant.project_id].name, "domain": DOMAIN}
        role["name"] = grant.role
        holder |= {"name": _holder_name(call, grant), "domain": DOMAIN}
    path = f"projects/{grant.project_id}/{kind}s/{holder['id']}/roles/{role['id']}"
    return {
        "links": {"assignment": f"{call.identity_url}/{path}"},
        "scope": {"project": project},
        kind: holder,
        "role": role,
    }


def _holder_name(call: Call, grant: Grant) -> str:
    if grant.user_id:
        return call.world.identity.users[grant.user_id].name
    return call.world.identity.groups[grant.group_id or ""].name


def _project(call: Call, project: Project) -> Body:
    return {
        "id": project.id,
        "name": project.name,
        "domain_id": project.domain_id,
        "description": "",
        "enabled": project.enabled,
        "parent_id": project.domain_id,
        "is_domain": False,
        "tags": [],
        "options": {},
    }


def _user(call: Call, user: User) -> Body:
    return {
        "email": user.email,
        "id": user.id,
        "name": user.name,
        "domain_id": "default",
        "enabled": user.enabled,
        "password_expires_at": None,
        "options": {},
    }


def _need_admin(call: Call, rule: str) -> None:
    if not call.is_admin():
        message = f"You are not authorized to perform the requested action: identity:{rule}."
        raise identity_refused(403, message)


def _listed(call: Call, collection: str, rows: list[Body]) -> Reply:
    """Answer one page: everything, unless the client or the operator set a limit."""
    rows = sorted((row for row in rows if _matches(row, call)), key=lambda row: str(row["id"]))
    rows = _after(rows, call.query.get("marker"))
    asked = call.query.get("limit")
    limit = int(asked) if asked else call.world.knobs.keystone_limit
    page = rows[:limit] if limit else rows
    for row in page:
        row["links"] = {"self": f"{call.identity_url}/{collection}/{row['id']}"}
    links: Body = {"next": None, "self": _here(call, call.query), "previous": None}
    body: Body = {collection: page, "links": links}
    if limit and len(page) == limit and len(rows) > limit:
        body["truncated"] = True
        if call.world.knobs.keystone_pages:
            following = call.query | {"limit": str(limit), "marker": str(page[-1]["id"])}
            links["next"] = _here(call, following)
    return Reply(200, body)


def _matches(row: Body, call: Call) -> bool:
    for key in ("name", "domain_id"):
        if key in call.query and str(row.get(key)) != call.query[key]:
            return False
    enabled = call.query.get("enabled")
    return enabled is None or row.get("enabled") is (enabled.lower() not in ("false", "0"))


def _after(rows: list[Body], marker: str | None) -> list[Body]:
    if marker is None:
        return rows
    for position, row in enumerate(rows):
        if row["id"] == marker:
            return rows[position + 1 :]
    raise identity_refused(404, f"Marker {marker} could not be found.")


def _here(call: Call, query: dict[str, str]) -> str:
    path = call.request.path.removeprefix("/identity/v3")
    return f"{call.identity_url}{path}" + (f"?{urlencode(query)}" if query else "")
