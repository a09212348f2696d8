"""Scratch volumes and servers are told from all others by their names."""

from staffeln_cli.model.drills import drill_of
from tests.build import a_drill


def test_a_scratch_volume_leads_back_to_its_drill() -> None:
    drill = a_drill()
    assert drill_of(drill.scratch_name) == drill.id


def test_other_things_belong_to_no_drill() -> None:
    assert drill_of("data") is drill_of("my-staffeln-drill-1") is None
