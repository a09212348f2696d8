"""How a test makes Cinder's asynchronous work end, well or badly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from staffeln_cli.demo.simcloud import lifecycle
from staffeln_cli.demo.simcloud.world import World


@dataclass(frozen=True)
class Steering:
    """Ends backups, deletions and restores on demand; without ids, all that are under way."""

    world: World

    def finish_backups(self, ids: Iterable[str] | None = None) -> list[str]:
        """Bring backups to their end, as each of them would end; stuck ones stay."""
        with self.world.lock:
            chosen = _among(self.world.waiting.creates, ids)
            for backup_id in chosen:
                lifecycle.finish_create(self.world, backup_id)
            return chosen

    def fail_backups(self, reason: str, ids: Iterable[str] | None = None) -> list[str]:
        """Bring backups to `error`."""
        with self.world.lock:
            chosen = _among(self.world.waiting.creates, ids)
            for backup_id in chosen:
                lifecycle.fail_create(self.world, backup_id, reason)
            return chosen

    def fail_next_backup(self, reason: str, times: int = 1) -> None:
        """Let the next backup that is accepted end in `error`, when it ends."""
        with self.world.lock:
            self.world.waiting.dooms += [reason] * times

    def stuck(self, ids: str | Iterable[str]) -> None:
        """Let backups stay as they are, `creating` or `deleting`, for ever."""
        with self.world.lock:
            for backup_id in [ids] if isinstance(ids, str) else ids:
                self.world.backups[backup_id].stuck = True
                self.world.waiting.creates.pop(backup_id, None)
                self.world.waiting.deletes.pop(backup_id, None)

    def finish_deletions(self, ids: Iterable[str] | None = None) -> list[str]:
        with self.world.lock:
            chosen = _among(self.world.waiting.deletes, ids)
            for backup_id in chosen:
                lifecycle.finish_deletion(self.world, backup_id)
            return chosen

    def fail_deletions(
        self, reason: str, ids: Iterable[str] | None = None, *, status: str = "error"
    ) -> list[str]:
        """Let deletions fail: `error` after a driver's failure, or `error_deleting`."""
        with self.world.lock:
            chosen = _among(self.world.waiting.deletes, ids)
            for backup_id in chosen:
                lifecycle.fail_deletion(self.world, backup_id, reason, status)
            return chosen

    def finish_restores(self) -> list[str]:
        with self.world.lock:
            chosen = list(self.world.waiting.restores)
            for backup_id in chosen:
                lifecycle.finish_restore(self.world, backup_id)
            return chosen

    def fail_restores(self) -> list[str]:
        """Let restores fail: the backup stays whole, the volume is `error_restoring`."""
        with self.world.lock:
            chosen = list(self.world.waiting.restores)
            for backup_id in chosen:
                lifecycle.fail_restore(self.world, backup_id)
            return chosen

    def expire_tokens(self) -> None:
        """End every token there is; clients find out by a 401."""
        with self.world.lock:
            self.world.identity.tokens.clear()


def _among(waiting: Iterable[str], ids: Iterable[str] | None) -> list[str]:
    wanted = None if ids is None else set(ids)
    return [key for key in waiting if wanted is None or key in wanted]
