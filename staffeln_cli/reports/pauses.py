"""What a project is told about its paused volumes."""

from collections.abc import Iterable, Iterator

from staffeln_cli.model import InventoryVolume
from staffeln_cli.model.text import one_line
from staffeln_cli.planning.protection.pausing import Pauses, described
from staffeln_cli.reports.model import Item


def paused_items(volumes: Iterable[InventoryVolume], pauses: Pauses) -> Iterator[Item]:
    """The protected volumes for which nothing is planned, since when, by whom and why."""
    for volume in volumes:
        pause = pauses.of(volume) if volume.protected else None
        if pause is not None:
            name = one_line(volume.volume_name) or volume.volume_id
            text = one_line(described(pause))
            yield Item(name, one_line(volume.server_name), text, volume.last_success_at)
