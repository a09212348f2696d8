"""Is there a lie of the cloud that costs a backup?"""

from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from staffeln_cli.demo.simcloud import SimCloud
from tests.properties.lies import (
    LISTINGS,
    behind_a_proxy,
    broken,
    doubled,
    forgotten,
    lost,
    misowned,
    moved,
    narrowed,
    omitted,
    stale,
    wrong_host,
    wrong_service,
)
from tests.properties.lying_cloud import PASSES, LyingCloud


def explore(cloud: SimCloud, empty_sqlite: Path, examples: int, steps: int) -> None:
    LyingCloud.cloud, LyingCloud.template = cloud, empty_sqlite
    run_state_machine_as_test(
        LyingCloud,
        settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None),
    )


def test_each_pass_is_told_each_lie(cloud: SimCloud, empty_sqlite: Path) -> None:
    """One after the other, with all laws looked at after each."""
    LyingCloud.cloud, LyingCloud.template = cloud, empty_sqlite
    one = LyingCloud()
    one.begin(3)
    for command in PASSES:
        for lie in (omitted, behind_a_proxy, forgotten):
            for kind in LISTINGS:
                one.rows_are_not_shown(command, lie, kind, {0, 1})
                one.all_laws_hold()
        for lie in (doubled, misowned, broken):
            one.rows_are_not_shown_as_they_are(command, lie, "volume", {0, 1})
            one.all_laws_hold()
        for lie in (wrong_host, wrong_service, moved):
            one.times_are_wrong(command, lie, 11)
            one.all_laws_hold()
        for change in (one.a_backup_breaks, one.a_broken_backup_is_whole_again):
            change(0)
            one.time_passes(2)
            one.a_pass_is_told_the_truth("check")
            assert one.beliefs.taken_for_whole() == []
        one.all_laws_hold()
        one.a_volume_is_made("shop")
        one.a_volume_changes_hands(0)
        for lie in (stale, lost, narrowed):
            one.a_node_lags_or_narrows(command, lie, 0)
            one.all_laws_hold()
    one.teardown()


def test_no_lie_costs_a_backup(cloud: SimCloud, empty_sqlite: Path) -> None:
    explore(cloud, empty_sqlite, examples=4, steps=12)


@pytest.mark.soak
def test_no_long_history_of_lies_costs_a_backup(cloud: SimCloud, empty_sqlite: Path) -> None:
    explore(cloud, empty_sqlite, examples=120, steps=30)
