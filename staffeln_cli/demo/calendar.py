"""The calendar of the demonstration, night by night, drawn as `status calendar` draws its days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding

from staffeln_cli.planning.calendar import Strip
from staffeln_cli.render.calendar import in_columns, legend


@dataclass(frozen=True, slots=True)
class Calendar:
    """The rows of all volumes; `moving` if the next calendar replaces it."""

    moments: Sequence[datetime]
    strips: Sequence[Strip]
    moving: bool = False

    def __rich__(self) -> RenderableType:
        shown = Group(in_columns(self.moments, self.strips), "", legend(self.strips))
        return Padding(shown, (0, 0, 0, 4), expand=False)
