"""Which volumes a project owns, by Cinder's word to a token of that project."""

import msgspec

from staffeln_cli.cloud import decode
from staffeln_cli.cloud.api import Api
from staffeln_cli.cloud.pagination import RawLink, next_query
from staffeln_cli.errors import ListingIncomplete
from staffeln_cli.model import ProjectId, VolumeId

_CINDER = "3.0"


class _Page(msgspec.Struct):
    volumes: list[decode.Identified]
    volumes_links: list[RawLink] = []


def volumes_of_project(api: Api, project_id: ProjectId) -> set[VolumeId]:
    """List the project's volumes with a token of its own, which is shown no others.

    Raises NoAccess, ProjectUnavailable or CloudUnavailable.
    """
    auth = api.token_of(project_id)
    found: set[VolumeId] = set()
    query: dict[str, str] | None = {}
    while query is not None:
        body = api.get_with(auth, "block_storage", "/volumes", microversion=_CINDER, **query)
        with decode.understood("GET /volumes"):
            page = msgspec.json.decode(body, type=_Page)
        before = len(found)
        found.update(VolumeId(volume.id) for volume in page.volumes)
        query = next_query(page.volumes_links)
        if query is not None and len(found) == before:
            raise ListingIncomplete("GET /volumes: a page has no new row and links to another one")
    return found
