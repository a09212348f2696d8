"""POST /v3/auth/tokens: authentication and scope."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from staffeln_cli.demo.simcloud.calls import Call, Reply
from staffeln_cli.demo.simcloud.clock import in_keystone
from staffeln_cli.demo.simcloud.errors import Refused, identity_refused, unauthorized
from staffeln_cli.demo.simcloud.rows import ApplicationCredential, Project, Token, User
from staffeln_cli.demo.simcloud.world import World

MALFORMED = (
    "The server could not comply with the request since it is either malformed or otherwise "
    "incorrect. The client is assumed to be in error."
)
DOMAIN = {"id": "default", "name": "Default"}


@dataclass(frozen=True)
class Identified:
    """The authenticated user, and the method."""

    user: User
    methods: tuple[str, ...]
    old: Token | None = None
    credential: ApplicationCredential | None = None


def issue(call: Call) -> Reply:
    auth = _part(call.request.body, "auth", "request body")
    identity = _part(auth, "identity", "auth")
    scope = auth.get("scope")
    someone = _identified(call, identity, scope)
    if not someone.user.enabled:
        raise unauthorized(call.identity_url)
    project = _scope(call, someone, scope)
    odd = call.world.settings.odd_tokens.get(project.id if project else "")
    if odd is not None:
        raise identity_refused(odd, f"Invalid input for the project. {MALFORMED}")
    token = new_token(call.world, someone, project)
    return Reply(201, {"token": described(call.world, token)}, {"X-Subject-Token": token.id})


def new_token(world: World, someone: Identified, project: Project | None) -> Token:
    """Write a token. One that was exchanged for another keeps the end of the first."""
    old = someone.old
    now = world.clock.now()
    token = Token(
        id="gAAAAAB" + secrets.token_urlsafe(48),
        user_id=someone.user.id,
        project_id=project.id if project else None,
        methods=someone.methods,
        issued_at=now,
        expires_at=old.expires_at if old else now + world.settings.token_lifetime,
        shown_expiry=old.shown_expiry if old else world.expiry_to_show(),
        audit_ids=(secrets.token_urlsafe(16), *(old.audit_ids[-1:] if old else ())),
    )
    world.identity.tokens[token.id] = token
    return token


def described(world: World, token: Token) -> dict[str, object]:
    user = world.identity.users[token.user_id]
    body: dict[str, object] = {
        "methods": list(token.methods),
        "user": {"domain": DOMAIN, "id": user.id, "name": user.name, "password_expires_at": None},
        "audit_ids": list(token.audit_ids),
        "expires_at": in_keystone(token.shown_expiry),
        "issued_at": in_keystone(token.issued_at),
    }
    if token.project_id:
        project = world.identity.projects[token.project_id]
        roles = world.roles(user.id, project.id)
        body |= {
            "project": {"domain": DOMAIN, "id": project.id, "name": project.name},
            "is_domain": False,
            "roles": [{"id": world.role_id(role), "name": role} for role in roles],
            "catalog": _catalog(world, project.id),
        }
    return body


def _part(body: Any, key: str, where: str) -> Mapping[str, Any]:
    part = body.get(key) if isinstance(body, dict) else None
    if not isinstance(part, dict):
        raise identity_refused(400, f"Expecting to find {key} in {where}. {MALFORMED}")
    return part


def _identified(call: Call, identity: Mapping[str, Any], scope: object) -> Identified:
    ways = {
        "password": _by_password,
        "token": _by_token,
        "application_credential": _by_application_credential,
    }
    methods = identity.get("methods")
    method = methods[0] if isinstance(methods, list) and methods else "methods"
    way = ways.get(method)
    proof = _part(identity, method, "identity")
    if way is None:
        raise unauthorized(call.identity_url)
    return way(call, proof, scope)


def _by_password(call: Call, proof: Mapping[str, Any], scope: object) -> Identified:
    claim = _part(proof, "user", "password")
    user = _one(call.world.identity.users.values(), claim)
    if user is None or user.password != claim.get("password"):
        raise unauthorized(call.identity_url)
    return Identified(user, ("password",))


def _by_token(call: Call, proof: Mapping[str, Any], scope: object) -> Identified:
    old = call.world.identity.tokens.get(str(proof.get("id")))
    if old is None:
        raise identity_refused(404, "Could not recognize Fernet token")
    if old.expires_at <= call.world.clock.now():
        raise identity_refused(404, "Failed to validate token")
    if "application_credential" in old.methods:
        raise _action_refused("Using a delegated token to create another token is not allowed.")
    if old.project_id and not call.world.settings.allow_rescope:
        raise _action_refused("rescope a scoped token")
    methods = ("token", *(name for name in old.methods if name != "token"))
    return Identified(call.world.identity.users[old.user_id], methods, old=old)


def _by_application_credential(call: Call, proof: Mapping[str, Any], scope: object) -> Identified:
    identity = call.world.identity
    credential = identity.credentials.get(str(proof.get("id")))
    if credential is None or credential.secret != proof.get("secret"):
        raise unauthorized(call.identity_url)
    if scope:
        refusal = unauthorized(call.identity_url)
        message = "Application credentials cannot request a scope."
        error = {
            "code": 401,
            "identity": {},
            "message": f"Error authenticating with application credential: {message}",
            "title": "Unauthorized",
        }
        raise Refused(401, {"error": error}, refusal.headers)
    user = identity.users[credential.user_id]
    return Identified(user, ("application_credential",), credential=credential)


def _scope(call: Call, someone: Identified, scope: Any) -> Project | None:
    """Find the project a token is wanted for; unknown, disabled and foreign ones are all 401."""
    projects = call.world.identity.projects
    if someone.credential:
        project = projects.get(someone.credential.project_id)
    elif not isinstance(scope, dict) or "unscoped" in scope:
        return None
    else:
        project = _one(projects.values(), scope.get("project") or {})
    if project is None or not project.enabled:
        raise unauthorized(call.identity_url)
    if not call.world.roles(someone.user.id, project.id):
        raise unauthorized(call.identity_url)
    return project


def _one(things: Any, claim: Mapping[str, Any]) -> Any:
    for thing in things:
        if claim.get("id") == thing.id or ("id" not in claim and claim.get("name") == thing.name):
            return thing
    return None


def _action_refused(action: str) -> Refused:
    message = f"You are not authorized to perform the requested action: {action}."
    return identity_refused(403, message)


def _catalog(world: World, project_id: str) -> list[dict[str, object]]:
    settings = world.settings
    volume_name = "cinderv3" if settings.catalogue_type == "volumev3" else "cinder"
    cinder_url = world.url.replace("127.0.0.1", settings.cinder_host)
    services = (
        ("compute", "nova", f"{world.url}/compute/v2.1"),
        ("identity", "keystone", f"{world.url}/identity/v3"),
        ("network", "neutron", f"{world.url}/network"),
        (settings.catalogue_type, volume_name, f"{cinder_url}/volume/v3/{project_id}"),
    )
    hidden = settings.catalogue_lacks | settings.endpoint_filter.get(project_id, frozenset())
    return [
        _service(kind, name, url, settings.regions)
        for kind, name, url in services
        if kind not in hidden
    ]


def _service(kind: str, name: str, url: str, regions: tuple[str, ...]) -> dict[str, object]:
    endpoints = [
        {
            "id": f"{interface}-{name}-{region}",
            "interface": interface,
            "region_id": region,
            "url": url,
            "region": region,
        }
        for region in regions
        for interface in ("public", "internal", "admin")
    ]
    return {"endpoints": endpoints, "id": name, "type": kind, "name": name}
