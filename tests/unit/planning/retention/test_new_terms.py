"""Changes of retention terms as events."""

import pytest

from staffeln_cli.model import DecidedBy, Event, EventKind, ProjectId, VolumeId
from staffeln_cli.planning.retention.new_terms import NewTerms
from tests.build import NOW, an_inventory_volume

OLD, NEW = "time=17d keep_last=1", "time=5w keep_last=1"


@pytest.mark.parametrize(
    ("decided_by", "who"),
    [
        (DecidedBy.VOLUME, "metadata of the volume"),
        (DecidedBy.SERVER, "metadata of the server"),
        (DecidedBy.DEFAULT, "the configuration"),
        (None, "the configuration"),
    ],
)
def test_a_change_of_one_volume_names_it_and_whose_word_it_was(
    decided_by: DecidedBy | None, who: str
) -> None:
    terms = NewTerms()
    terms.add(an_inventory_volume("v1", retention_decided_by=decided_by), OLD, NEW)
    owner = ProjectId("p1")
    assert [*terms.events(NOW)] == [
        Event(NOW, EventKind.POLICY, who, "v1", owner, VolumeId("v1"), OLD, NEW)
    ]


def test_volumes_of_a_project_that_change_alike_are_counted() -> None:
    terms = NewTerms()
    for name in ("v1", "v2"):
        terms.add(an_inventory_volume(name), OLD, None)
    terms.add(an_inventory_volume("v3", project_id=ProjectId("p2"), volume_name=""), OLD, NEW)
    both, other = terms.events(NOW)
    assert (both.item, both.volume_id, both.after) == ("2 volumes", None, None)
    assert (other.item, other.volume_id, other.project_id) == ("v3", "v3", "p2")


def test_without_a_change_there_is_no_event() -> None:
    assert [*NewTerms().events(NOW)] == []
