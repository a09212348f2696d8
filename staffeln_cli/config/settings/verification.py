"""Restore drills: which backups are proven, how many at a time."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from msgspec import Meta

from staffeln_cli.model.durations import Duration, Timeout
from staffeln_cli.model.text import Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySettings:
    """Restore drills of `staffeln verify`."""

    every: Annotated[
        Duration, Meta(description="each protected volume is to be proven within this time")
    ] = Duration(exact=timedelta(days=100))
    count: Annotated[int, Meta(ge=1, description="restore drills that one pass begins")] = 5
    max_in_flight: Annotated[int, Meta(ge=1, le=64, description="drills in progress at once")] = 2
    max_gib: Annotated[
        int, Meta(ge=1, description="GiB that the drills of one pass restore in all")
    ] = 1000
    boot: Annotated[
        str | None,
        Meta(
            description="flavor, by name or id, of a server without networks that boots each"
            " restored bootable volume: it runs a tenant's system; none: nothing is booted",
        ),
    ] = None
    boot_pattern: Annotated[
        Pattern,
        Meta(description="regular expression for what the console shows when a boot went well"),
    ] = Pattern(r"(?mi)login: *$|cloud-init v\. .* finished at")
    boot_timeout: Annotated[
        Timeout, Meta(description="how long the console is waited for, from the server's creation")
    ] = Timeout(minutes=10)
    time_budget: Annotated[
        Timeout,
        Meta(
            description="how long one pass begins drills; those in progress are waited for"
            " half as long again, and left to the next pass"
        ),
    ] = Timeout(hours=2)
