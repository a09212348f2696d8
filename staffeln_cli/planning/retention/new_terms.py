"""Changes of retention terms, as events: one for all volumes of a project that change alike."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from staffeln_cli.model import DecidedBy, Event, EventKind, InventoryVolume, ProjectId

_WHOSE = {
    DecidedBy.VOLUME: "metadata of the volume",
    DecidedBy.SERVER: "metadata of the server",
    DecidedBy.DEFAULT: "the configuration",
    None: "the configuration",
}
_Change = tuple[ProjectId, str, str | None, DecidedBy | None]


@dataclass(slots=True)
class NewTerms:
    """The volumes whose terms differ from those of the last pass of retention."""

    _volumes: dict[_Change, list[InventoryVolume]] = field(default_factory=dict)

    def add(self, volume: InventoryVolume, before: str, after: str | None) -> None:
        """Note that other terms hold for a volume than before."""
        change = (volume.project_id, before, after, volume.retention_decided_by)
        self._volumes.setdefault(change, []).append(volume)

    def events(self, moment: datetime) -> Iterator[Event]:
        """One event for each change; it names the volume where there is only one."""
        for (project_id, before, after, decided_by), volumes in self._volumes.items():
            first, number = volumes[0], len(volumes)
            yield Event(
                at=moment,
                kind=EventKind.POLICY,
                who=_WHOSE[decided_by],
                item=first.volume_name or first.volume_id if number == 1 else f"{number} volumes",
                project_id=project_id,
                volume_id=first.volume_id if number == 1 else None,
                before=before,
                after=after,
            )
