"""A row per run."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from staffeln_cli.model import Outcome
from staffeln_cli.store.database import Database
from staffeln_cli.tables import run_table

_MOST_FAILURES = 100
"""Failures kept with a run's row; the log has them all."""


class Runs:
    """The history of runs of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, run_id: str, command: str, host: str, moment: datetime) -> None:
        """Note that a run has begun."""
        with self._database.write() as connection:
            connection.execute(
                insert(run_table).values(
                    id=run_id,
                    command=command,
                    host=host,
                    started_at=moment,
                    counts={},
                    failures=[],
                )
            )

    def end(self, outcome: Outcome, moment: datetime) -> None:
        """Note how a run ended."""
        with self._database.write() as connection:
            connection.execute(
                update(run_table)
                .where(run_table.c.id == outcome.run_id)
                .values(
                    ended_at=moment,
                    outcome=outcome.outcome,
                    api_requests=outcome.api_requests,
                    counts=dict(outcome.counts),
                    failures=[asdict(failure) for failure in outcome.failures[:_MOST_FAILURES]],
                )
            )

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """The newest runs, newest first."""
        columns = run_table.columns
        with self._database.read() as connection:
            rows = connection.execute(
                select(*columns).order_by(run_table.c.started_at.desc()).limit(limit)
            )
            return [dict(row._mapping) for row in rows]

    def last_of_each(self) -> dict[str, dict[str, Any]]:
        """For each command its newest run that has ended and was not skipped."""
        newest = (
            select(run_table.c.command, func.max(run_table.c.started_at).label("at"))
            .where(run_table.c.outcome != "skipped")  # nor NULL
            .group_by(run_table.c.command)
            .subquery()
        )
        with self._database.read() as connection:
            rows = connection.execute(
                select(
                    run_table.c.command,
                    run_table.c.started_at,
                    run_table.c.outcome,
                    run_table.c.host,
                ).join(
                    newest,
                    (newest.c.command == run_table.c.command)
                    & (newest.c.at == run_table.c.started_at),
                )
            )
            return {row.command: dict(row._mapping) for row in rows}

    def forget(self, before: datetime) -> None:
        """Remove runs that began before this."""
        with self._database.write() as connection:
            connection.execute(delete(run_table).where(run_table.c.started_at < before))
