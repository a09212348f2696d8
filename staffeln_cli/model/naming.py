"""Names and marks of backups: legible, unique, and short enough for Cinder."""

from datetime import UTC, datetime
from functools import lru_cache

from staffeln_cli.model.text import nameable

MOST_CHARACTERS = 255
"""cinder:cinder/api/schemas/backups.py; shorter by nothing, counted in characters."""

RECORD_KEY = "staffeln:record"
"""Metadata of a backup that Staffeln made: the id of its record."""
INSTALLATION_KEY = "staffeln:installation"
"""The mark of the installation that made a backup; Staffeln 3.0 gave none."""
SERVER_KEY = "staffeln:server"
"""Metadata of a backup that Staffeln made: the id of the server, where there was one."""


def backup_name(server_name: str, volume_name: str, moment: datetime, token: str) -> str:
    """`<server>_<volume>_<UTC time>_<token>`; server and volume are cut so that the rest fits."""
    tail = f"_{_stamp(moment)}_{token}"
    room = MOST_CHARACTERS - len(tail) - 1
    server, volume = nameable(server_name) or "no-server", nameable(volume_name) or "no-name"
    server = server[: max(room // 2, room - len(volume))]
    return f"{server}_{volume[: room - len(server)]}{tail}"


def restored_name(volume_name: str, moment: datetime, backup_id: str) -> str:
    """`<volume>_restored_<UTC time>_<backup>`, for a volume made of a backup; cut as above."""
    tail = f"_restored_{_stamp(moment)}_{backup_id[:8]}"
    return f"{(nameable(volume_name) or 'no-name')[: MOST_CHARACTERS - len(tail)]}{tail}"


def called(volume_name: str, server_name: str) -> str:
    """What people call a volume: its name, and whose it is."""
    volume = nameable(volume_name) or "a volume without a name"
    return f"{volume} of {nameable(server_name)}" if server_name else volume


@lru_cache(maxsize=16)
def _stamp(moment: datetime) -> str:
    """Thousands of names have the moment of one pass."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
