"""What the operator configured about the protection of volumes."""

from collections.abc import Mapping
from dataclasses import dataclass

from staffeln_cli.model.durations import Duration
from staffeln_cli.planning.retention.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the operator configured about selection and retention."""

    metadata_key: str
    skip_volume_key: str
    retention_key: str
    policies: Mapping[str, Policy]
    default: Duration
