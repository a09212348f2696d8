"""What an installation believes of the simulated cloud, by what its database has."""

from dataclasses import dataclass
from typing import NamedTuple

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.model import BackupRecord, InventoryVolume, State
from staffeln_cli.store import Store

_ENDED = (State.MISSING, State.DELETED, State.FAILED)


class Snapshot(NamedTuple):
    """What was believed at one moment."""

    volumes: dict[str, tuple[object, ...]]
    records: dict[str, State]


@dataclass(frozen=True)
class Beliefs:
    """Reads what is believed, and compares it with what is there."""

    store: Store
    cloud: SimCloud

    def records(self) -> list[BackupRecord]:
        """All there are."""
        return self.store.records.in_states(set(State))

    def snapshot(self) -> Snapshot:
        """What retention and planning go by."""
        volumes: dict[str, tuple[object, ...]] = {
            one.volume_id: (one.protected, one.gone_at, one.project_id, one.retention)
            for one in self._volumes()
        }
        return Snapshot(volumes, {one.id: one.state for one in self.records()})

    def known(self, kind: str) -> set[str]:
        """The ids of what is on record and not gone, of a kind that is looked up by its ids."""
        if kind == "volume":
            return {one.volume_id for one in self._volumes() if one.gone_at is None}
        if kind == "backup":
            return set(self.store.records.available_ids())
        return set(self.store.projects.known()) if kind == "project" else set()

    def suspected(self) -> set[str]:
        """The ids of what was missed and not seen since."""
        volumes = {one.volume_id for one in self._volumes() if one.suspected_gone_at is not None}
        backups = {
            one.backup_id
            for one in self.records()
            if one.backup_id is not None and one.suspected_missing_at is not None
        }
        return {*volumes, *backups, *self.store.projects.suspected()}

    def protected(self) -> set[str]:
        """The ids of the volumes that exist and count as protected."""
        return {one.volume_id for one in self._existing() if one.protected}

    def unrestorable(self) -> set[tuple[str, str]]:
        """The protected volumes that count as having nothing to restore them from."""
        return {
            (one.project_id, one.volume_id)
            for one in self._existing()
            if one.protected and one.unrestorable_since is not None
        }

    def taken_for_whole(self) -> list[str]:
        """The available backups that are broken and not known to be, or the other way round."""
        broken = {one["id"] for one in self.cloud.backups(status="error")}
        return [
            one.name
            for one in self.records()
            if one.state is State.AVAILABLE and one.is_broken != (one.backup_id in broken)
        ]

    def taken_for_gone(self) -> list[str]:
        """The volumes and backups that exist and count as gone."""
        alive = {one["id"] for one in self.cloud.backups(status="available")}
        wrong = [one for one in self.records() if one.backup_id in alive and one.state in _ENDED]
        gone = [one.volume_id for one in self._existing() if one.gone_at is not None]
        return [*gone, *(f"{one.name} is {one.state}" for one in wrong)]

    def cancelled_since(self, before: Snapshot) -> list[str]:
        """The plans that were cancelled although the volume still has the same owner."""
        owners = {one["id"]: one["project_id"] for one in self.cloud.volumes()}
        return [
            one.name
            for one in self.records()
            if one.state is State.CANCELLED
            and before.records.get(one.id) is not State.CANCELLED
            and owners.get(one.volume_id) == one.project_id
        ]

    def changed_since(self, before: Snapshot) -> set[str]:
        """What is believed otherwise by now: the ids of volumes and of records."""
        now = self.snapshot()
        volumes = {one for one, _ in before.volumes.items() ^ now.volumes.items()}
        return volumes | {one for one, _ in before.records.items() ^ now.records.items()}

    def started_for_their_owner(self) -> set[str]:
        """The records whose backup is being made, in the project that owns the volume."""
        owners = {one["id"]: one["project_id"] for one in self.cloud.volumes()}
        made = {
            one["id"]
            for one in self.cloud.backups()
            if one["project_id"] == owners.get(one["volume_id"])
        }
        creating = [one for one in self.records() if one.state is State.CREATING]
        return {one.id for one in creating if one.backup_id in made}

    def untracked(self) -> set[str]:
        """The marked backups that no record accounts for, and the records without a backup."""
        tracked = {one.backup_id for one in self.records() if one.state is State.AVAILABLE}
        ours = {one["id"] for one in self.cloud.backups() if "staffeln:record" in one["metadata"]}
        return ours ^ {one for one in tracked if one is not None}

    def _volumes(self) -> list[InventoryVolume]:
        return list(self.store.inventory.all_volumes())

    def _existing(self) -> list[InventoryVolume]:
        there = {one["id"] for one in self.cloud.volumes()}
        return [one for one in self._volumes() if one.volume_id in there]
