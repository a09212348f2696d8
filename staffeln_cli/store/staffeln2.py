"""The database of Staffeln 2, VEXXHOST's, from which this program takes over: it is only read.

Its tables are those of staffeln:staffeln/db/sqlalchemy/models.py in GitHub's vexxhost/staffeln.
`backup_data` has what was made, `queue_data` what was being made when it stopped.
"""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sqlalchemy import URL, Engine, MetaData, Table, create_engine, inspect, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from staffeln_cli.errors import ConfigError, StoreUnavailable
from staffeln_cli.model import BackupId, ServerId
from staffeln_cli.model.redaction import masked_url, without_secrets
from staffeln_cli.model.text import first_line

_TABLES = ("backup_data", "queue_data")
_DRIVERS = {"mysql": "mysql+pymysql", "postgresql": "postgresql+psycopg", "sqlite": "sqlite"}
_NO_ID = frozenset({None, "", "NULL"})
"""What a queued backup has that was never started; the word is upstream's."""


class Made(NamedTuple):
    """A backup that Staffeln 2 made, as far as Cinder cannot tell."""

    server_id: ServerId | None
    server_name: str


def backups_of(url: str) -> dict[BackupId, Made]:
    """All backups that it knew, under Cinder's ids.

    ConfigError for a URL that leads to no database of Staffeln 2, StoreUnavailable for one that
    does not answer.
    """
    where = masked_url(url)
    try:
        engine = create_engine(_checked(url))
    except (ModuleNotFoundError, NoSuchModuleError) as error:  # the latter: ?plugin= in the URL
        raise ConfigError(
            [f"{where}: {error}; run: pip install 'staffeln[upstream,postgresql]'"]
        ) from error
    try:
        return _read(engine, where)
    except DBAPIError as error:
        reason = without_secrets(first_line(error.orig), url)
        raise StoreUnavailable(f"database {where}: {reason}") from error
    finally:
        engine.dispose()


def _checked(url: str) -> URL:
    expected = "expected mysql://, postgresql:// or sqlite:////absolute/path"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError([f"{masked_url(url)}: is not a URL; {expected}"]) from None
    backend = parsed.drivername.partition("+")[0]  # whatever driver upstream had
    if backend not in _DRIVERS:
        raise ConfigError([f"{masked_url(url)}: is not supported; {expected}"])
    parsed = parsed.set(drivername=_DRIVERS[backend])
    if backend == "sqlite":
        _check_file(Path(parsed.database or ""))
        # Else SQLite would make one where none is, and change one that was left in the middle.
        path = f"file:{quote(str(parsed.database))}"
        return parsed.set(database=path, query={"mode": "ro", "uri": "true"})
    return parsed


def _check_file(path: Path) -> None:
    try:
        is_file = path.is_file()
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from error
    if not is_file:
        raise ConfigError([f"{path}: there is no such file"])


def _read(engine: Engine, where: str) -> dict[BackupId, Made]:
    with engine.connect() as connection:
        there = set(inspect(connection).get_table_names())
        if not there.issuperset(_TABLES):
            raise ConfigError(
                [f"{where}: has no tables {' and '.join(_TABLES)}: it is none of Staffeln 2"]
            )
        made: dict[BackupId, Made] = {}
        for name in _TABLES:
            table = Table(name, MetaData(), autoload_with=connection)
            for row in connection.execute(select(table)).mappings():
                if row["backup_id"] in _NO_ID:
                    continue
                server_id, server_name = row["instance_id"], row.get("instance_name")
                made[BackupId(row["backup_id"])] = Made(
                    ServerId(server_id) if server_id else None, server_name or ""
                )
        return made
