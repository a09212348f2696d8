"""A row per run."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from staffeln_cli.model import Outcome
from staffeln_cli.store.database import Database
from staffeln_cli.tables import RunRow

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
                insert(RunRow).values(
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
                update(RunRow)
                .where(RunRow.id == outcome.run_id)
                .values(
                    ended_at=moment,
                    outcome=outcome.outcome,
                    api_requests=outcome.api_requests,
                    counts=dict(outcome.counts),
                    failures=[asdict(one) for one in outcome.failures[:_MOST_FAILURES]],
                )
            )

    def newest(self, limit: int) -> list[dict[str, Any]]:
        """The newest runs, newest first."""
        columns = RunRow.__table__.columns
        with self._database.read() as connection:
            rows = connection.execute(
                select(*columns).order_by(RunRow.started_at.desc()).limit(limit)
            )
            return [dict(row._mapping) for row in rows]

    def last_of_each(self) -> dict[str, dict[str, Any]]:
        """For each command its newest ended run."""
        newest = (
            select(RunRow.command, func.max(RunRow.started_at).label("at"))
            .where(RunRow.outcome.is_not(None))
            .group_by(RunRow.command)
            .subquery()
        )
        with self._database.read() as connection:
            rows = connection.execute(
                select(RunRow.command, RunRow.started_at, RunRow.outcome, RunRow.host).join(
                    newest,
                    (newest.c.command == RunRow.command) & (newest.c.at == RunRow.started_at),
                )
            )
            return {row.command: dict(row._mapping) for row in rows}

    def forget(self, before: datetime) -> None:
        """Remove runs that began before this."""
        with self._database.write() as connection:
            connection.execute(delete(RunRow).where(RunRow.started_at < before))
