"""The schema as SQLAlchemy tables, with the laws that the database itself keeps."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, Table, Text, false, text

from staffeln_cli.model import DecidedBy, Kind, Origin, SkipCause, State
from staffeln_cli.model.lifecycle import UNFINISHED
from staffeln_cli.tables.catalog import disabled_host_table, export_record_table
from staffeln_cli.tables.columns import UtcDateTime, metadata, words
from staffeln_cli.tables.drills import drill_table
from staffeln_cli.tables.events import event_table
from staffeln_cli.tables.pauses import pause_table
from staffeln_cli.tables.restorations import restoration_part_table, restoration_table
from staffeln_cli.tables.servers import server_table

__all__ = [
    "SCHEMA_REVISION",
    "UtcDateTime",
    "backup_table",
    "cloud_table",
    "disabled_host_table",
    "drill_table",
    "event_table",
    "export_record_table",
    "former_owner_table",
    "leadership_table",
    "lease_table",
    "metadata",
    "pause_table",
    "project_table",
    "restoration_part_table",
    "restoration_table",
    "run_table",
    "server_table",
    "volume_table",
]

SCHEMA_REVISION = "0015"
"""The Alembic revision this code was written for; a test compares it with `sql/versions`."""


cloud_table = Table(
    "cloud",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # The id of its block-storage service in Keystone.
    Column("identity", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("auth_url", Text, nullable=False),
    Column("name", Text, nullable=False),
    # The Cinder endpoint, without the project; none until a pass after the upgrade from 3.0.
    Column("block_storage_url", Text),
    # When `check` last saw a complete listing of the backups.
    Column("backups_listed_at", UtcDateTime),
    # When the operator last got the summary of all projects.
    Column("operator_reported_at", UtcDateTime),
    # A random id of this installation, which its backups bear; none until the first pass.
    Column("installation_id", Text),
    # Backups in that listing that bear our mark and that no live record accounts for.
    Column("untracked", Integer, server_default=text("0"), nullable=False),
    # Backups in that listing that bear the mark of another installation.
    Column("foreign_marked", Integer, server_default=text("0"), nullable=False),
    # When the two were counted.
    Column("untracked_at", UtcDateTime),
    # When somebody last ran `collect --confirm`: what was suspected by then may be gone.
    Column("collect_confirmed_at", UtcDateTime),
    # When somebody last ran `check --confirm`.
    Column("check_confirmed_at", UtcDateTime),
)
"""The cloud that this database belongs to: one row, from the first pass on."""


project_table = Table(
    "projects",
    metadata,
    Column("project_id", Text, primary_key=True),
    Column("project_name", Text, nullable=False),
    Column("domain_id", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("gone_at", UtcDateTime),
    # When Keystone first said that there is no such project; it is gone at a second time.
    Column("suspected_gone_at", UtcDateTime),
    Column("reported_at", UtcDateTime),
    # The project's quota of backups when a report last asked for it; negative: unlimited.
    Column("quota_gib", Integer),
    Column("quota_gib_used", Integer),
    Column("quota_backups", Integer),
    Column("quota_backups_used", Integer),
    Column("quota_seen_at", UtcDateTime),
    # When one of the two is full at the rate of that time; none: not within a year.
    Column("quota_full_at", UtcDateTime),
    # When a pass last named it because nobody has an address for its report.
    Column("unsent_named_at", UtcDateTime),
)
"""A project as last seen, and how far its reports have come."""


volume_table = Table(
    "volumes",
    metadata,
    Column("volume_id", Text, primary_key=True),
    Column("volume_name", Text, nullable=False),
    Column("project_id", Text, index=True, nullable=False),
    Column("server_id", Text, index=True),
    Column("server_name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("size_gib", Integer, nullable=False),
    Column("volume_type", Text),
    Column("availability_zone", Text),
    Column("bootable", Boolean, nullable=False),
    Column("encrypted", Boolean, nullable=False),
    Column("protected", Boolean, nullable=False),
    Column("skip_reason", Text),
    Column("skip_cause", words(SkipCause)),
    # The last valid retention that the server's metadata asked for; none: the default.
    Column("retention", Text),
    Column("bad_retention", Text),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("protected_since", UtcDateTime),
    Column("gone_at", UtcDateTime),
    # When Cinder first said that there is no such volume; it is gone at a second time.
    Column("suspected_gone_at", UtcDateTime),
    Column("last_started_at", UtcDateTime),
    Column("last_success_at", UtcDateTime),
    # When the last backup that the volume could be restored from was found missing or broken.
    Column("unrestorable_since", UtcDateTime),
    Column("last_failed_at", UtcDateTime),
    # Failed backups since the last successful one.
    Column("failures", Integer, server_default=text("0"), nullable=False),
    # How many seconds a full backup of it usually takes, from planning.estimates.
    Column("usual_full_s", Integer),
    Column("usual_incremental_s", Integer),
    # The retention terms of its last pass, as `planning.retention.recorded_terms` writes them.
    Column("retained_as", Text),
    # The longer retention that still holds, until `retention.grace` after the shortening.
    Column("retention_before", Text),
    # When the shorter one was first seen.
    Column("retention_shortened_at", UtcDateTime),
    # When the volume ceased to be protected; none while it is, or if it never was.
    Column("protection_ended_at", UtcDateTime),
    Column("protection_end_cause", words(SkipCause)),
    # When the project was told of that; a later end is to be reported again.
    Column("protection_end_reported_at", UtcDateTime),
    # When the last restore drill ended that went well.
    Column("proven_at", UtcDateTime),
    # When a restore drill of it failed, if none of a backup as new has gone well since.
    Column("proof_failed_at", UtcDateTime),
    # What its users have set on the volume, for a restore; none: nothing.
    Column("user_metadata", JSON(none_as_null=True)),
    # Whose word protects it or leaves it out; none: nobody's.
    Column("protection_decided_by", words(DecidedBy)),
    Column("retention_decided_by", words(DecidedBy)),
)
"""The inventory: every volume seen, also when it is long gone, and how its backups went."""


former_owner_table = Table(
    "former_owners",
    metadata,
    Column("project_id", Text, primary_key=True),
    Column("volume_id", Text, primary_key=True),
    Column("retention", Text),
    Column("last_applied_retention", Text),
    Column("left_at", UtcDateTime, nullable=False),
)
"""The retention terms of a volume in a project that it has left: its backups there stay."""


backup_table = Table(
    "backups",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, unique=True, nullable=False),
    Column("backup_id", Text, unique=True),
    Column("volume_id", Text, index=True, nullable=False),
    Column("volume_name", Text, nullable=False),
    Column("server_id", Text),
    Column("server_name", Text, nullable=False),
    Column("project_id", Text, index=True, nullable=False),
    Column("kind", words(Kind), nullable=False),
    Column("state", words(State), index=True, nullable=False),
    Column("origin", words(Origin), nullable=False),
    Column("reason", Text),
    Column("attempt", Integer, nullable=False),
    Column("chain_id", Text),
    # The backup that it depends on, as its export record names it; none: a full, or not known.
    Column("parent_id", Text),
    # The catalog has its export record.
    Column("exported", Boolean, server_default=false(), nullable=False),
    Column("size_gib", Integer),
    Column("planned_at", UtcDateTime, nullable=False),
    # Start of the volume's last backup, when planned: the longest without one goes first.
    Column("waiting_since", UtcDateTime),
    # A planned backup that met a busy volume is not tried again earlier.
    Column("not_before", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    # When the backup became available; kept whatever becomes of it.
    Column("succeeded_at", UtcDateTime),
    Column("deleted_at", UtcDateTime),
    # When Cinder first said that there is no such backup; it is missing at a second time. What was
    # created later does not depend on it.
    Column("suspected_missing_at", UtcDateTime),
    # When Cinder first showed it broken, although it was available; none: it is whole.
    Column("broken_at", UtcDateTime),
    # When the project got a report of that.
    Column("broken_reported_at", UtcDateTime),
    # Nobody has confirmed since its start that its project owned the volume; failed: it did not.
    Column("owner_unproven", Boolean, server_default=false(), nullable=False),
    # When a backup that counted as missing, failed or broken turned out to be whole.
    Column("seen_again_at", UtcDateTime),
    Column("pinned", Boolean, server_default=false(), nullable=False),
    Column("pin_note", Text),
    Column("pinned_by", Text),
    # A failed backup that Cinder may still have, and that `check` must remove.
    Column("remains", Boolean, server_default=false(), nullable=False),
    Column("delete_reason", Text),
    # Why Cinder refused the last request to delete it.
    Column("delete_refusal", Text),
    # Its status in Cinder was reset, without which it could not have been deleted.
    Column("status_reset", Boolean, server_default=false(), nullable=False),
    Column("delete_attempts", Integer, server_default=text("0"), nullable=False),
    Column("next_try_at", UtcDateTime),
    Column("claimed_by", Text),
    Column("claimed_until", UtcDateTime),
    Column("reported_at", UtcDateTime),
    Column("removal_reported_at", UtcDateTime),
)
"""One backup, from plan to deletion; moves are compare-and-set, see `model.lifecycle`."""


# PostgreSQL has the same condition, by migration 0001: to name it here as well would load its
# dialect in every command, which takes longer than all tables together.
Index(
    "one_unfinished_backup_per_volume",
    backup_table.c.volume_id,
    unique=True,
    sqlite_where=backup_table.c.state.in_(sorted(UNFINISHED)),
)
Index(
    "backups_without_export_record",
    backup_table.c.planned_at,
    sqlite_where=(backup_table.c.state == State.AVAILABLE) & backup_table.c.exported.is_(False),
)


run_table = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("command", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("started_at", UtcDateTime, index=True, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", Text),
    Column("api_requests", Integer, server_default=text("0"), nullable=False),
    Column("counts", JSON, nullable=False),
    Column("failures", JSON, nullable=False),
)
"""One execution of one command."""


leadership_table = Table(
    "leadership",
    metadata,
    Column("name", Text, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("acquired_at", UtcDateTime, nullable=False),
)
"""The fencing number of each leader lock, raised at each acquisition."""


lease_table = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    # Known to the holder alone.
    Column("token", Text, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
"""A lock that a run holds until it releases it, or until the database's clock has passed."""
