"""What was last seen of projects, also when they are long gone."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update

from staffeln_cli.model import Project, ProjectId, ProjectQuota, ProjectRecord
from staffeln_cli.store.database import Database, upsert
from staffeln_cli.store.queries import chunks
from staffeln_cli.tables import project_table


class Projects:
    """The projects of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self) -> dict[ProjectId, Project]:
        """The projects that are not known to be gone."""
        columns = (
            project_table.c.project_id,
            project_table.c.project_name,
            project_table.c.domain_id,
        )
        with self._database.read() as connection:
            rows = connection.execute(
                select(*columns, project_table.c.enabled).where(project_table.c.gone_at.is_(None))
            )
            return {
                ProjectId(row.project_id): Project(ProjectId(row.project_id), *row[1:])
                for row in rows
            }

    def suspected(self) -> dict[ProjectId, datetime]:
        """The projects that Keystone said it does not have, and when it first did."""
        query = select(project_table.c.project_id, project_table.c.suspected_gone_at).where(
            project_table.c.gone_at.is_(None), project_table.c.suspected_gone_at.is_not(None)
        )
        with self._database.read() as connection:
            rows = connection.execute(query)
            return {ProjectId(one): moment for one, moment in rows if moment is not None}

    def save(self, projects: Iterable[Project]) -> None:
        """Insert or update projects that Keystone has shown; they are not suspected any more."""
        values = [_values(one) for one in projects]
        if not values:
            return
        with self._database.write() as connection:
            statement = upsert(connection, project_table)
            updates: dict[str, Any] = {
                name: statement.excluded[name] for name in values[0] if name != "project_id"
            }
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[project_table.c.project_id], set_=updates
                ),
                values,
            )

    def note_suspected(self, project_ids: Iterable[ProjectId], moment: datetime) -> None:
        """Keystone has said for the first time that it does not have these projects."""
        self._note(project_ids, suspected_gone_at=moment)

    def note_gone(self, project_ids: Iterable[ProjectId], moment: datetime) -> None:
        """These projects do not exist any more."""
        self._note(project_ids, gone_at=moment, suspected_gone_at=None)

    def note_unsent(self, project_id: ProjectId, moment: datetime) -> None:
        """A project was named because its report could not be sent."""
        self._note([project_id], unsent_named_at=moment)

    def note_quota(self, project_id: ProjectId, quota: ProjectQuota) -> None:
        """Remember what Cinder said about a project's quota."""
        values = {f"quota_{name}": value for name, value in quota._asdict().items()}
        with self._database.write() as connection:
            this = project_table.c.project_id == project_id
            connection.execute(update(project_table).where(this).values(**values))

    def quotas(self) -> dict[ProjectId, ProjectQuota]:
        """The quotas that were seen so far, of projects that are not known to be gone."""
        columns = (project_table.c[f"quota_{name}"] for name in ProjectQuota._fields)
        query = select(project_table.c.project_id, *columns).where(
            project_table.c.quota_seen_at.is_not(None), project_table.c.gone_at.is_(None)
        )
        with self._database.read() as connection:
            rows = connection.execute(query)
            return {ProjectId(row[0]): ProjectQuota._make(row[1:]) for row in rows}

    def called(self, text: str) -> list[ProjectRecord]:
        """The projects ever seen of this id or name."""
        columns = [project_table.c[name] for name in ProjectRecord._fields]
        law = or_(project_table.c.project_id == text, project_table.c.project_name == text)
        with self._database.read() as connection:
            return [
                ProjectRecord._make(row) for row in connection.execute(select(*columns).where(law))
            ]

    def names(self) -> dict[ProjectId, str]:
        """Names of all projects ever seen."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(project_table.c.project_id, project_table.c.project_name)
            )
            return {ProjectId(project_id): name for project_id, name in rows}

    def _note(self, project_ids: Iterable[ProjectId], **values: datetime | None) -> None:
        for chunk in chunks(list(project_ids)):
            with self._database.write() as connection:
                these = project_table.c.project_id.in_(chunk)
                connection.execute(update(project_table).where(these).values(**values))


def _values(project: Project) -> dict[str, object]:
    return {
        "project_id": project.id,
        "project_name": project.name,
        "domain_id": project.domain_id,
        "enabled": project.enabled,
        "gone_at": None,
        "suspected_gone_at": None,
    }
