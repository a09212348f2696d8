"""The connection: transactions, errors translated, fencing numbers checked, SQLite's settings."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Table, false, select, text, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    ProgrammingError,
    SQLAlchemyError,
)

from staffeln_cli.deadlines import Deadlines
from staffeln_cli.errors import ConfigError, LeadershipLost, SchemaOutdated, StoreUnavailable
from staffeln_cli.model.redaction import masked_url, without_secrets
from staffeln_cli.model.text import first_line
from staffeln_cli.store import database_url
from staffeln_cli.store.engines import engine_of, is_found
from staffeln_cli.tables import SCHEMA_REVISION, leadership_table

_LONGEST = timedelta(minutes=15)
"""How long one connection may be in use: then its server has stopped without a word."""
_STOP_GRACE = timedelta(seconds=10)
"""What a connection in use has left after a stop: more than requests, whose end is noted here."""

_ENCODINGS = frozenset({"", "UTF8", "SQL_ASCII"})
"""Encodings of databases that take any name; SQLite has none to choose."""

_NO_PRIVILEGE = "42501"
"""PostgreSQL's word for a table that this user may not touch."""


@dataclass(frozen=True, slots=True)
class Fence:
    """The right of one leader's pass to write; void once another pass has raised the number."""

    name: str
    number: int
    owner: str
    """Compared as well: a database that lost its last transactions gives a number again."""


@dataclass(frozen=True, slots=True)
class _Session:
    """On which terms this process writes."""

    read_only: bool = False
    """During a dry run: a write would be a bug."""
    fence: Fence | None = None
    """During a leader's pass: every write checks it."""


class Database:
    """An engine and its transactions; a leader's pass that lost its lead writes nothing more."""

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], datetime] | None = None,
        stopping: threading.Event | None = None,
    ) -> None:
        """`stopping`, once set, ends the waiting for locks and for a silent server."""
        self._given_url = url
        self.url = database_url.parse(url)
        self._clock = clock
        stopping = stopping or threading.Event()
        self._deadlines = Deadlines(_LONGEST, stopping, grace=_STOP_GRACE)
        self._engine = engine_of(self.url, stopping, self._deadlines)
        self._session = _Session()
        self._encoding = ""
        # Threads take turns here: in SQLite they would sleep, and longer at each try.
        self._turn: AbstractContextManager[Any] = (
            threading.Lock() if self.is_sqlite else nullcontext()
        )

    @property
    def is_sqlite(self) -> bool:
        """Whether one file holds everything, so that one write transaction runs at a time."""
        return self.url.get_backend_name() == "sqlite"

    def close(self) -> None:
        """Give all connections back to the operating system."""
        self._engine.dispose()
        self._deadlines.close()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self._translated(), self._engine.connect() as connection:
            yield connection.execution_options(staffeln_read=True)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that commits at its end; in a leader's session, only while it still leads.

        LeadershipLost when another pass has taken over: nothing of this transaction is kept.
        """
        session = self._session
        if session.read_only:
            raise RuntimeError("a dry run writes nothing")
        with self._translated(), self._turn, self._engine.begin() as connection:
            if session.fence is not None:
                self._check(connection, session.fence)
            yield connection

    def check_write(self) -> None:
        """Raise StoreUnavailable unless this user may write here now; nothing is changed."""
        with self.write() as connection:
            connection.execute(update(leadership_table).where(false()).values(fence=0))

    @contextmanager
    def statement(self) -> Iterator[Connection]:
        """Statements that each commit by themselves, so that no lock outlasts one of them."""
        if self.is_sqlite:
            with self.write() as connection:
                yield connection
            return
        engine = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with self._translated(), engine.connect() as connection:
            yield connection

    @contextmanager
    def session(self, *, read_only: bool = False, fence: Fence | None = None) -> Iterator[None]:
        """Until its end, all threads write on these terms: not at all, or while the fence stands.

        A session within a session replaces its terms; at its end the former ones hold again.
        """
        before, self._session = self._session, _Session(read_only, fence)
        try:
            yield
        finally:
            self._session = before

    def now(self) -> datetime:
        """The time by the database server's clock, which all hosts share; SQLite has none."""
        if self._clock is not None:
            return self._clock()
        if self.is_sqlite:
            return datetime.now(UTC)
        with self.read() as connection:
            moment: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return moment.astimezone(UTC)

    def raise_fence(self, name: str, owner: str) -> Fence:
        """Become the only pass of this name whose writes count."""
        with self.write() as connection:
            row = upsert(connection, leadership_table).values(
                name=name, fence=1, owner=owner, acquired_at=self.now()
            )
            raised = row.on_conflict_do_update(
                index_elements=[leadership_table.c.name],
                set_={
                    "fence": leadership_table.c.fence + 1,
                    "owner": row.excluded.owner,
                    "acquired_at": row.excluded.acquired_at,
                },
            )
            number = connection.execute(raised.returning(leadership_table.c.fence)).scalar_one()
        return Fence(name, number, owner)

    def check_schema(self) -> None:
        """Raise SchemaOutdated unless the schema is the one this code was written for."""
        found = self.revision()
        if self._encoding not in _ENCODINGS:
            raise ConfigError(
                [
                    f"{self.shown}: has the encoding {self._encoding}, which lacks characters that"
                    " tenants may use in names; expected UTF8: dump it, and restore the dump into"
                    " a database that is created with ENCODING 'UTF8'"
                ]
            )
        if found is None:
            raise SchemaOutdated(
                [f"{self.shown}: holds no Staffeln schema yet; run: staffeln db upgrade"]
            )
        if found != SCHEMA_REVISION:
            older = found < SCHEMA_REVISION
            advice = "run: staffeln db upgrade" if older else "install a newer Staffeln"
            raise SchemaOutdated(
                [
                    f"{self.shown}: schema is at revision {found},"
                    f" this version needs {SCHEMA_REVISION}; {advice}"
                ]
            )

    def revision(self) -> str | None:
        """The schema's revision; None where there is no schema."""
        if self.is_sqlite and self.url.database and not is_found(Path(self.url.database)):
            return None
        with self.read() as connection:
            self._encoding = _encoding_of(connection)
            if not self._engine.dialect.has_table(connection, "alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    @property
    def shown(self) -> str:
        """The URL as it may be shown."""
        shown = masked_url(self.url.render_as_string(hide_password=True))
        return without_secrets(shown, self._given_url)  # SQLAlchemy parses a stray @ otherwise

    def explained(self, error: object) -> str:
        """What the driver says, in its first line and without what is secret in the URL."""
        return f"database {self.shown}: {without_secrets(first_line(error), self._given_url)}"

    def _check(self, connection: Connection, fence: Fence) -> None:
        held = connection.execute(
            select(leadership_table.c.fence, leadership_table.c.owner)
            .where(leadership_table.c.name == fence.name)
            .with_for_update()
        ).one_or_none()
        if held is None or tuple(held) != (fence.number, fence.owner):
            number = held.fence if held else None
            raise LeadershipLost(
                f"another {fence.name} has taken over (number {number},"
                f" this one had {fence.number}); this one writes nothing more"
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, ProgrammingError) as error:
            if error.statement is None:  # nothing was asked yet: the driver refuses the URL
                raise ConfigError([self.explained(error.orig)]) from error
            if getattr(error.orig, "sqlstate", None) != _NO_PRIVILEGE:
                raise  # a law of the database, or a bug: the caller knows, or nobody
            raise StoreUnavailable(self.explained(error.orig)) from error
        except DBAPIError as error:
            raise StoreUnavailable(self.explained(error.orig)) from error
        except SQLAlchemyError as error:
            raise StoreUnavailable(self.explained(error)) from error


def _encoding_of(connection: Connection) -> str:
    """The encoding of a database of PostgreSQL, which it states when it is connected to."""
    info = getattr(connection.connection.driver_connection, "info", None)
    return str(info.parameter_status("server_encoding")) if info is not None else ""


def as_row(fact: Any) -> dict[str, Any]:
    """A fact's fields by name; not copied, as dataclasses.asdict would, which is slow."""
    return {part.name: getattr(fact, part.name) for part in fields(fact)}


def upsert(connection: Connection, table: Table) -> sqlite.Insert:
    """An INSERT that can say what to do on a conflict; both databases spell it alike."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return cast("sqlite.Insert", postgresql.insert(table))
