"""The statuses of Cinder's backups and volumes, grouped by what they mean for Staffeln."""

BACKUP_COMPLETE = frozenset({"available", "restoring"})
"""All data is there: it can be restored, and others may depend on it."""
BACKUP_BROKEN = frozenset({"error", "error_deleting"})
BACKUP_UNRESTORABLE = BACKUP_BROKEN | {"deleting"}
"""What was available once cannot be restored by now."""
BACKUP_ENDED = BACKUP_COMPLETE | BACKUP_BROKEN
"""No longer being created."""
BACKUP_DELETABLE = frozenset({"available", "error"})
"""cinder:cinder/backup/api.py:API.delete accepts no other status."""
BACKUP_BUSY = frozenset({"deleting", "restoring"})
"""No request to delete it is sent: it is being deleted already, or somebody restores it."""

VOLUME_USABLE = frozenset({"available", "in-use"})
"""Cinder accepts a request to back it up."""
VOLUME_BEING_RESTORED = frozenset({"creating", "downloading", "restoring-backup"})
VOLUME_ATTACHED = frozenset({"in-use", "reserved", "attaching", "detaching"})
"""A server uses it, or is about to or has just ceased to."""
VOLUME_BUSY = frozenset(
    {
        "attaching",
        "awaiting-transfer",
        "backing-up",
        "creating",
        "deleting",
        "detaching",
        "downloading",
        "extending",
        "maintenance",
        "managing",
        "reserved",
        "restoring-backup",
        "retyping",
        "uploading",
    }
)
"""Statuses that end by themselves; any other but the usable ones needs somebody to look at it."""
