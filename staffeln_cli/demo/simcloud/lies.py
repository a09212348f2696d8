"""Responses that differ from what the service knows: edits of a reply before it is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from staffeln_cli.demo.simcloud.calls import Reply, Request
from staffeln_cli.demo.simcloud.errors import identity_refused, not_found

_KINDS = {"servers": "Instance", "volumes": "Volume", "backups": "Backup"}
Body = dict[str, Any]
Edit = Callable[[Request, Body], Body]


def edited(request: Request, reply: Reply, edits: Collection[Edit]) -> Reply:
    """The reply with all edits made, if it is JSON and went well."""
    content = reply.content()[1]
    if not edits or reply.status not in (200, 201, 202) or not content:
        return reply
    body = json.loads(content)
    for edit in edits:
        body = edit(request, body)
    return replace(reply, body=body)


def without_rows(ids: Collection[str]) -> Edit:
    """A page of a listing lacks these rows; its links stay."""

    def edit(_: Request, body: Body) -> Body:
        return {
            key: [row for row in rows if row.get("id") not in ids]
            if isinstance(rows, list)
            else rows
            for key, rows in body.items()
        }

    return edit


def lagging(request: Request, reply: Reply | None, ids: frozenset[str]) -> Reply | None:
    """What a node answers whose database has not received these rows yet."""
    if reply is None or not ids or request.method != "GET":
        return reply
    collection, _, item = request.path.rpartition("/")
    if item not in ids:
        return edited(request, reply, [without_rows(ids)])
    kind = _KINDS.get(collection.rpartition("/")[2])
    refusal = (
        not_found(kind, item)
        if kind is not None
        else identity_refused(404, f"Could not find project: {item}.")
    )
    return Reply(refusal.status, refusal.body)


def with_columns(columns: Mapping[str, Mapping[str, object]]) -> Edit:
    """These rows, by id, have other values in some columns, in listings and single answers."""

    def edit(_: Request, body: Body) -> Body:
        for row in _rows(body):
            row.update(columns.get(str(row.get("id")), {}))
        return body

    return edit


def without_columns(names: Collection[str]) -> Edit:
    """All rows lack these columns, as where a policy file hides them."""

    def edit(_: Request, body: Body) -> Body:
        for row in _rows(body):
            for name in names:
                row.pop(name, None)
        return body

    return edit


def linked_again(request: Request, body: Body) -> Body:
    """The page links to itself as the next one."""
    href = f"http://127.0.0.1{request.target}"
    links = next((key for key in body if key.endswith("_links")), None)
    if links is None and isinstance(body.get("links"), dict):  # Keystone
        body["links"]["next"] = href
        return body
    rows = next(key for key, value in body.items() if isinstance(value, list))
    body[links or f"{rows}_links"] = [{"rel": "next", "href": href}]
    return body


def _rows(body: Body) -> list[Body]:
    """The rows of a listing, or the one thing of a single answer."""
    found: list[Body] = []
    for key, value in body.items():
        if isinstance(value, dict) and "id" in value:
            found.append(value)
        elif isinstance(value, list) and not key.endswith("_links"):
            found += [row for row in value if isinstance(row, dict)]
    return found
