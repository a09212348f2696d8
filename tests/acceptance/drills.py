"""Restore drills in a line or two, and what they made."""

from typing import Any

from staffeln_cli.demo.simcloud import SimCloud
from tests.conftest import Answer, Staffeln

NOTHING = {"drills": 0, "passed": 0, "failed": 0, "cancelled": 0, "running": 0}
"""The counts of a pass that did nothing."""


def verify(staffeln: Staffeln, *options: str) -> Answer:
    return staffeln("verify", "-f", "json", *options)


def counted(**counts: int) -> dict[str, int]:
    return NOTHING | counts


def scratch(cloud: SimCloud) -> list[dict[str, Any]]:
    return [one for one in cloud.volumes() if (one["name"] or "").startswith("staffeln-drill-")]
