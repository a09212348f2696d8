"""One request on its way through the cloud, and the answer to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.message import Message
from typing import Any
from urllib.parse import urlencode

from staffeln_cli.demo.simcloud.errors import unauthorized
from staffeln_cli.demo.simcloud.rows import Token
from staffeln_cli.demo.simcloud.world import World


@dataclass
class Request:
    """What a client asked, and what became of it; tests read these in `SimCloud.requests`."""

    method: str
    path: str
    query: dict[str, str]
    at: datetime
    body: Any = None
    project_id: str | None = None
    user_id: str | None = None
    status: int | None = None
    lost: bool = False

    @property
    def target(self) -> str:
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


@dataclass(frozen=True)
class Reply:
    """An answer; a mapping becomes JSON."""

    status: int = 200
    body: Mapping[str, object] | str | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pause: float = 0.0
    """Seconds after each byte; 0 sends everything at once."""

    def content(self) -> tuple[str, bytes]:
        if isinstance(self.body, bytes):
            return "application/json", self.body
        if isinstance(self.body, str):
            return "text/html; charset=UTF-8", self.body.encode()
        return "application/json", json.dumps(self.body).encode()


@dataclass
class Call:
    """A request that has found its service: who asks, in which version, for which things."""

    world: World
    request: Request
    headers: Message
    names: dict[str, str | None] = field(default_factory=dict)
    version: tuple[int, int] = (0, 0)
    who: Token | None = None
    may: tuple[str, ...] | None = None

    @property
    def query(self) -> dict[str, str]:
        return self.request.query

    @property
    def identity_url(self) -> str:
        return f"{self.world.url}/identity/v3"

    def name(self, key: str) -> str:
        return self.names.get(key) or ""

    def token(self) -> Token:
        """Give the valid token of the caller, or answer 401."""
        if self.who is None:
            self.who = self._valid(self.headers.get("X-Auth-Token"))
            self.request.user_id = self.who.user_id
            self.request.project_id = self.who.project_id
        return self.who

    def project_id(self) -> str:
        project_id = self.token().project_id
        if project_id is None:
            raise unauthorized(self.identity_url)
        return project_id

    def roles(self) -> tuple[str, ...]:
        if self.may is None:
            self.may = self.world.roles(self.token().user_id, self.project_id())
        return self.may

    def is_admin(self) -> bool:
        """Say whether the caller has `admin` on its project, which means: on everything."""
        if self.world.settings.cinder_narrows and self.request.path.startswith("/volume/"):
            return False
        return self.token().project_id is not None and "admin" in self.roles()

    def _valid(self, token_id: str | None) -> Token:
        identity = self.world.identity
        token = identity.tokens.get(token_id or "")
        if token is None or token.expires_at <= self.world.clock.now():
            raise unauthorized(self.identity_url)
        if not identity.users[token.user_id].enabled:
            raise unauthorized(self.identity_url)
        if token.project_id and not self._still_welcome(token):
            raise unauthorized(self.identity_url)
        return token

    def _still_welcome(self, token: Token) -> bool:
        project = self.world.identity.projects.get(token.project_id or "")
        return bool(project and project.enabled and self.world.roles(token.user_id, project.id))
