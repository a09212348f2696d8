import pytest

from staffeln_cli.model import State
from staffeln_cli.reports.headline import of_project
from staffeln_cli.reports.model import ProjectReport
from tests.build import ago
from tests.unit.reports.builders import a_failure, a_protected_volume, a_report, a_success

NEW = {"last_success_at": None, "protected_since": ago(minutes=5)}
LATE = {"last_success_at": ago(days=3)}


@pytest.mark.parametrize(
    ("told", "tone", "headline", "subject"),
    [
        (
            a_report(a_protected_volume("a"), a_protected_volume("b")),
            "good",
            "All 2 volumes are protected",
            "[Staffeln] shop: 2 volumes protected",
        ),
        (
            a_report(a_protected_volume("a"), a_protected_volume("b", **LATE)),
            "bad",
            "1 of 2 volumes is not protected",
            "[Staffeln] shop: 1 of 2 volumes protected, 1 OVERDUE",
        ),
        (
            a_report(
                a_protected_volume("a", **LATE, failures=1),
                a_protected_volume("b"),
                a_failure("a"),
            ),
            "bad",
            "1 of 2 volumes is not protected",
            "[Staffeln] shop: 1 of 2 volumes protected, 1 FAILED",
        ),
        (
            a_report(
                a_protected_volume("a", failures=1, last_success_at=ago(hours=20)), a_failure("a")
            ),
            "bad",
            "The one volume is protected, but the last backup of 1 volume failed",
            "[Staffeln] shop: 1 volume protected, 1 FAILED",
        ),
        (
            a_report(a_protected_volume("a", **NEW), restorable=False),
            "fair",
            "1 of 1 volume waits for the first backup",
            "[Staffeln] shop: 0 of 1 volume protected",
        ),
        (
            a_report(a_protected_volume(), a_success("x", state=State.MISSING, reason="deleted")),
            "bad",
            "The one volume is protected, but 1 backup was deleted by someone else",
            "[Staffeln] shop: 1 volume protected, 1 LOST",
        ),
        (
            a_report(a_protected_volume(bad_retention="'x'")),
            "fair",
            "The one volume is protected",
            "[Staffeln] shop: 1 volume protected",
        ),
        (
            a_report(a_protected_volume(protected=False)),
            "fair",
            "No volume of this project is protected",
            "[Staffeln] shop: nothing protected",
        ),
    ],
)
def test_a_report_leads_with_how_many_volumes_are_safe(
    told: ProjectReport, tone: str, headline: str, subject: str
) -> None:
    judged = of_project(told)
    assert (judged.tone, judged.headline, judged.subject) == (tone, headline, subject)
