"""Keystone's lists: projects, users, roles and who has which role where."""

from __future__ import annotations

from itertools import chain
from urllib.parse import urlencode

from staffeln_cli.demo.simcloud.calls import Call, Reply
from staffeln_cli.demo.simcloud.errors import identity_refused
from staffeln_cli.demo.simcloud.rows import Grant, Project, User

Body = dict[str, object]


def projects(call: Call) -> Reply:
    _need_admin(call, "list_projects")
    rows = [_project(call, project) for project in call.world.identity.projects.values()]
    return _listed(call, "projects", rows)


def project(call: Call) -> Reply:
    wanted = call.name("id")
    _need_admin(call, "get_project")
    found = call.world.identity.projects.get(wanted)
    if found is None:
        raise identity_refused(404, f"Could not find project: {wanted}.")
    return Reply(200, {"project": _project(call, found)})


def my_projects(call: Call) -> Reply:
    """GET /v3/auth/projects: every project the caller could have a token for."""
    user_id = call.token().user_id
    mine = [
        _project(call, project)
        for project in call.world.identity.projects.values()
        if project.enabled and call.world.roles(user_id, project.id)
    ]
    return _listed(call, "projects", mine)


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


def role_assignments(call: Call) -> Reply:
    """List every grant as it was made: to a user or to a group."""
    _need_admin(call, "list_role_assignments")
    grants = chain.from_iterable(call.world.identity.grants.values())
    links = {"next": None, "self": _here(call, call.query), "previous": None}
    rows = [_assignment(call, grant) for grant in grants]
    return Reply(200, {"role_assignments": rows, "links": links})


def _assignment(call: Call, grant: Grant) -> Body:
    role: Body = {"id": call.world.role_id(grant.role)}
    kind = "user" if grant.user_id else "group"
    holder: Body = {"id": grant.user_id or grant.group_id}
    path = f"projects/{grant.project_id}/{kind}s/{holder['id']}/roles/{role['id']}"
    return {
        "links": {"assignment": f"{call.identity_url}/{path}"},
        "scope": {"project": {"id": grant.project_id}},
        kind: holder,
        "role": role,
    }


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
    if "domain_id" in call.query:
        rows = [row for row in rows if row["domain_id"] == call.query["domain_id"]]
    rows = sorted(rows, key=lambda row: str(row["id"]))
    rows = _after(rows, call.query.get("marker"))
    asked = call.query.get("limit")
    limit = int(asked) if asked else call.world.settings.keystone_limit
    page = rows[:limit] if limit else rows
    for row in page:
        row["links"] = {"self": f"{call.identity_url}/{collection}/{row['id']}"}
    links: Body = {"next": None, "self": _here(call, call.query), "previous": None}
    body: Body = {collection: page, "links": links}
    if limit and len(page) == limit and len(rows) > limit:
        body["truncated"] = True
        if call.world.settings.keystone_pages:
            following = call.query | {"limit": str(limit), "marker": str(page[-1]["id"])}
            links["next"] = _here(call, following)
    return Reply(200, body)


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
