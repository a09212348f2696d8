"""What auditors are told of a volume, and the figures of all of them."""

from datetime import timedelta
from typing import Any

from staffeln_cli.model import ProjectId, VolumeId
from staffeln_cli.planning.audit import Audit, ProjectAudit, VolumeAudit
from staffeln_cli.planning.intervals import Achieved, Gap
from tests.build import NOW, ago

A_DAY = timedelta(days=1)


def a_volume(**more: Any) -> VolumeAudit:
    facts: dict[str, Any] = {
        "project_id": ProjectId("p1"),
        "volume_id": VolumeId("v1"),
        "volume_name": "data",
        "server_name": "web",
        "size_gib": 1,
        "protected": True,
        "protected_since": ago(days=30),
        "retention": "17d",
        "interval": A_DAY,
        "achieved": Achieved(3, Gap(ago(days=1), NOW), A_DAY),
        "available": 3,
        "lost": 0,
        "last_success_at": ago(days=1),
        "proven_at": None,
        "proof_level": None,
        "proof_failed_at": None,
        "recovery": None,
    }
    return VolumeAudit(**(facts | more))


def an_audit(*volumes: VolumeAudit) -> Audit:
    return Audit(
        cloud="sim",
        since=ago(days=30),
        until=NOW,
        history="90d",
        terms={},
        every="100d",
        proven_since=ago(days=100),
        projects=[ProjectAudit(project_id=ProjectId("p1"), project_name="shop", volumes=volumes)],
    )


def test_a_volume_was_kept_if_it_was_never_overdue() -> None:
    gap = Gap(ago(days=2), NOW)
    assert a_volume(achieved=Achieved(2, gap)).is_kept
    assert not a_volume(achieved=Achieved(2, gap, late=1)).is_kept


def test_only_a_recent_proof_without_a_failed_drill_after_it_counts() -> None:
    audit = an_audit(
        a_volume(proven_at=ago(days=99)),
        a_volume(proven_at=ago(days=101)),
        a_volume(proven_at=ago(days=9), proof_failed_at=ago(days=1)),
        a_volume(proven_at=ago(days=9), protected=False),
        a_volume(),
    )
    assert (audit.volumes, audit.protected, audit.proven, audit.kept) == (5, 4, 1, 5)
