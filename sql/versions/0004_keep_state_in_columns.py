"""Keep in columns what was read back from sentences: skip causes, successes, refused deletions.

The previous release still works on this schema: every new column has a default or may be NULL.
It does not fill them, so that what it does after the upgrade counts as it did before: its skipped
volumes get their cause in the next pass of `collect`; a success that it notes is a success in
reports only while the backup exists.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CAUSES = {
    "its project is unknown": "project_unknown",
    "its project is disabled": "project_disabled",
    "not attached to a server": "detached",
    "its server is not marked": "unmarked",
    "its server is unknown to Nova": "server_unknown",
    "volume is gone": "gone",
}
"""What the previous release wrote as `skip_reason`, beside "marked with KEY"."""


def upgrade() -> None:
    op.add_column("volumes", sa.Column("skip_cause", sa.String(16), nullable=True))
    op.add_column("backups", sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("backups", sa.Column("delete_refusal", sa.Text(), nullable=True))
    op.add_column(
        "backups",
        sa.Column("status_reset", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column(
        "cloud", sa.Column("operator_reported_at", sa.DateTime(timezone=True), nullable=True)
    )
    _fill_skip_causes()
    _fill_successes()
    _fill_deletions()
    _fill_operator_report()


def _fill_skip_causes() -> None:
    for reason, cause in _CAUSES.items():
        op.execute(
            sa.text(
                "UPDATE volumes SET skip_cause = :cause"
                " WHERE NOT protected AND skip_reason = :reason"
            ).bindparams(cause=cause, reason=reason)
        )
    op.execute(
        "UPDATE volumes SET skip_cause = 'request'"
        " WHERE NOT protected AND skip_reason LIKE 'marked with %'"
    )


def _fill_successes() -> None:
    """A backup that was adopted late kept its reason when it was removed, and was a success."""
    op.execute(
        "UPDATE backups SET succeeded_at = coalesce(finished_at, started_at, planned_at)"
        " WHERE state IN ('available', 'missing') OR (state IN ('deleting', 'deleted')"
        " AND backup_id IS NOT NULL AND (reason IS NULL"
        " OR (reason = 'the request to create it arrived late'"
        " AND coalesce(delete_reason, '') <> 'remains of a failure')))"
    )


def _fill_deletions() -> None:
    op.execute(
        "UPDATE backups SET delete_refusal = substr(delete_reason, 18), delete_reason = NULL"
        " WHERE delete_reason LIKE 'not deleted yet: %'"
    )
    op.execute(
        "UPDATE backups SET status_reset = true WHERE state = 'deleting' AND next_try_at IS NULL"
    )


def _fill_operator_report() -> None:
    op.execute(
        "UPDATE cloud SET operator_reported_at ="
        " (SELECT acquired_at FROM leadership WHERE name = 'operator''s digest')"
    )
    op.execute("DELETE FROM leadership WHERE name = 'operator''s digest'")
