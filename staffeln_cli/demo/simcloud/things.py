"""How a test or a demonstration fills Nova and Cinder, past their APIs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from staffeln_cli.demo.simcloud import lifecycle
from staffeln_cli.demo.simcloud.people import OPERATOR
from staffeln_cli.demo.simcloud.rows import Attachment, Backup, Server, Volume
from staffeln_cli.demo.simcloud.world import World


@dataclass(frozen=True)
class Things:
    """Adds, changes and removes servers, volumes and backups. All are named by name or id."""

    world: World

    def add_server(
        self,
        name: str,
        *,
        project: str = OPERATOR,
        metadata: Mapping[str, str] | None = None,
        status: str = "ACTIVE",
        created_at: datetime | None = None,
        **more: Any,
    ) -> str:
        """Add a server; more columns go by their names in `rows.Server`."""
        with self.world.lock:
            made = created_at or self.world.now()
            owner = self.world.project(project).id
            server = Server(
                self.world.new_id(), name, owner, self._operator(), made, made, status,
                dict(metadata or {}),
            )  # fmt: skip
            self.world.servers.add(server)
            self.world.servers.change(server, **more)
            return server.id

    def set_server(self, server: str, **values: Any) -> None:
        """Change columns of a server."""
        with self.world.lock:
            self.world.servers.change(self.world.server(server), **values)

    def set_metadata(self, server: str, metadata: Mapping[str, str]) -> None:
        """Replace a server's metadata."""
        with self.world.lock:
            self.world.servers.change(self.world.server(server), metadata=dict(metadata))

    def hide_server(self, server: str, *, hidden: bool = True) -> None:
        """Put a server into a cell that is down: Nova silently omits it."""
        with self.world.lock:
            self.world.servers.change(self.world.server(server), hidden=hidden)

    def remove_server(self, server: str) -> None:
        """Remove a server and detach its volumes; one being backed up stays busy."""
        with self.world.lock:
            gone = self.world.servers.remove(self.world.server(server).id)
            self.world.deleted_servers[gone.id] = gone.created_at
            for port in self.world.networking.ports_of(gone.id):
                del self.world.networking.ports[port.id]
            for volume_id in self.world.attached.get(gone.id, [])[:]:
                self.detach(volume_id, gone.id)
                if volume_id in gone.deletes_volumes:
                    self.remove_volume(volume_id)

    def add_volume(
        self,
        name: str | None,
        *,
        project: str | None = None,
        server: str | Iterable[str] | None = None,
        size_gib: int = 1,
        **more: Any,
    ) -> str:
        """Add a volume, attached to `server`; more columns go by their names in `rows.Volume`."""
        with self.world.lock:
            names = [server] if isinstance(server, str) else server or ()
            servers = [self.world.server(one) for one in names]
            home = servers[0].project_id if servers else OPERATOR
            status = more.pop("status", None)
            volume = Volume(
                id=self.world.new_id(),
                name=name,
                project_id=self.world.project(project or home).id,
                user_id=self._operator(),
                updated_at=self.world.now(),
                size=size_gib,
                **self._columns(more),
            )
            self.world.volumes.add(volume)
            for one in servers:
                self.attach(volume.id, one.id)
            self.world.volumes.change(volume, status=status or volume.status)
            return volume.id

    def _columns(self, more: dict[str, Any]) -> dict[str, Any]:
        names = {"size_gib": "size", "zone": "availability_zone"}
        columns = {names.get(key, key): value for key, value in more.items()}
        columns["created_at"] = columns.get("created_at") or self.world.now()
        columns["metadata"] = dict(columns.get("metadata") or {})
        return columns

    def attach(self, volume: str, server: str | None) -> None:
        """Attach a volume to a server, or to the host itself."""
        with self.world.lock:
            row = self.world.volume(volume)
            server_id = self.world.server(server).id if server else None
            place = len(self.world.attached.get(server_id or "", ()))
            device = f"/dev/vd{chr(ord('a') + place % 26)}"
            new = Attachment(self.world.new_id(), server_id, device, self.world.now())
            many = len(row.attachments) > 0
            self.world.volumes.change(
                row, attachments=(*row.attachments, new), status="in-use", multiattach=many
            )
            if server_id:
                self.world.attached.setdefault(server_id, []).append(row.id)
                self.world.servers.change(self.world.servers[server_id])

    def detach(self, volume: str, server: str) -> None:
        with self.world.lock:
            row = self.world.volume(volume)
            rest = tuple(one for one in row.attachments if one.server_id != server)
            status = "available" if row.status == "in-use" and not rest else row.status
            self.world.volumes.change(row, attachments=rest, status=status)
            self.world.attached[server].remove(row.id)
            if server in self.world.servers:
                self.world.servers.change(self.world.servers[server])

    def set_volume(self, volume: str, **values: Any) -> None:
        """Change columns of a volume; `size_gib` and `zone` are understood."""
        with self.world.lock:
            names = {"size_gib": "size", "zone": "availability_zone"}
            columns = {names.get(key, key): value for key, value in values.items()}
            self.world.volumes.change(self.world.volume(volume), **columns)

    def transfer_volume(self, volume: str, project: str) -> None:
        """Give a volume to another project, as an accepted transfer does; it is detached first."""
        with self.world.lock:
            row = self.world.volume(volume)
            for attachment in row.attachments:
                if attachment.server_id:
                    self.detach(row.id, attachment.server_id)
            self.world.volumes.remove(row.id)
            row.project_id = self.world.project(project).id
            row.rendered = None
            self.world.volumes.add(row)

    def remove_volume(self, volume: str) -> None:
        """Remove a volume, whatever its state; its backups survive it."""
        with self.world.lock:
            row = self.world.volume(volume)
            for attachment in row.attachments:
                if attachment.server_id:
                    self.detach(row.id, attachment.server_id)
            self.world.volumes.remove(row.id)

    def add_backup(
        self,
        volume: str,
        *,
        incremental: bool = False,
        created_at: datetime | None = None,
        project: str | None = None,
        **more: Any,
    ) -> str:
        """Add a finished backup that somebody made by hand; more columns as in `rows.Backup`."""
        with self.world.lock:
            source = self.world.volume(volume)
            owner = self.world.project(project).id if project else source.project_id
            when = (created_at or self.world.now()).replace(microsecond=0)
            siblings = self.world.backups.find("volume_id", source.id)
            parent = lifecycle.chosen_parent(siblings, owner, when) if incremental else None
            if incremental and not parent:
                raise ValueError("no backup is available to do an incremental backup")
            more = {"name": None, "status": "available", "data_timestamp": when} | more
            more["metadata"] = dict(more.get("metadata") or {})
            backup = Backup(
                id=self.world.new_id(), volume_id=source.id, project_id=owner,
                user_id=self._operator(), created_at=when, updated_at=when, size=source.size,
                parent_id=parent.id if parent else None, availability_zone="nova", **more,
            )  # fmt: skip
            if parent:
                dependents = parent.num_dependent_backups + 1
                self.world.backups.change(parent, num_dependent_backups=dependents)
            self.world.charge(owner, 1, backup.size)
            return self.world.backups.add(backup).id

    def set_backup(self, backup_id: str, **values: Any) -> None:
        """Change columns of a backup; a status that is final ends what was under way."""
        with self.world.lock:
            if values.get("status", "creating") != "creating":
                self.world.waiting.creates.pop(backup_id, None)
                self.world.waiting.deletes.pop(backup_id, None)
            self.world.backups.change(self.world.backups[backup_id], **values)

    def remove_backup(self, backup_id: str, *, force: bool = False) -> None:
        """Remove a backup, whatever its state; `force`: even if another one depends on it."""
        with self.world.lock:
            backup = self.world.backups[backup_id]
            if self.world.backups.find("parent_id", backup_id) and not force:
                raise ValueError("incremental backups exist for this backup")
            self.world.waiting.creates.pop(backup_id, None)
            self.world.waiting.restores.pop(backup_id, None)
            if backup.status == "creating":
                lifecycle.free_volume(self.world, backup)
            lifecycle.finish_deletion(self.world, backup_id)

    def lose_backups(self, *ids: str) -> None:
        """Lose the rows of backups, all without ids; their objects stay in the store."""
        with self.world.lock:
            for backup in [one for one in self.world.backups if not ids or one.id in ids]:
                self.world.backups.remove(backup.id)
                self.world.charge(backup.project_id, -1, -backup.size)

    def _operator(self) -> str:
        return self.world.user(OPERATOR).id
