"""Is there an odd value in any answer that is taken for a bug, or stops what it is not about?"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import rounds
from tests.acceptance.lost_servers import a_whole_server, lose, wired
from tests.build import MARKED
from tests.conftest import Staffeln
from tests.properties.odd_answers import ODD, Place, Situation
from tests.resilience.situations import BEGIN

PROJECTS = ("bank", "office", "shop")
"""Each has one server with one volume: what is odd in one of them is no other's business."""
GOES_ON = {0, 3}
CODES = GOES_ON | {69, 78}
Arranged = Callable[[SimCloud, Staffeln, Path], tuple[str, ...]]


def world(cloud: SimCloud, staffeln: Staffeln) -> None:
    """Two days with backups of three projects."""
    cloud.freeze(BEGIN)
    staffeln.set(
        CLOUD_WORKERS="1",
        CLOUD_RETRY_TIMEOUT="0s",
        RETENTION_TIME="1d",
        RETENTION_KEEP_LAST="0",
        RETENTION_TIME_BUDGET="1s",
        BACKUP_FULL_BACKUP_DEPTH="0",
        VERIFY_COUNT="3",
        VERIFY_TIME_BUDGET="1s",
        VERIFY_BOOT="tiny",
    )
    for name in PROJECTS:
        cloud.people.add_project(name)
        server = cloud.things.add_server(f"{name}-server", project=name, metadata=MARKED)
        cloud.things.add_volume(name, server=server, project=name)
    rounds(staffeln, cloud, 2)
    cloud.settings.restore_pace = timedelta(0)


def collected(cloud: SimCloud, staffeln: Staffeln, _: Path) -> tuple[str, ...]:
    return ("collect",)


def begun(cloud: SimCloud, staffeln: Staffeln, _: Path) -> tuple[str, ...]:
    staffeln("collect")
    return ("backup",)


def followed(cloud: SimCloud, staffeln: Staffeln, _: Path) -> tuple[str, ...]:
    """One is finished, one failed, one was never answered."""
    staffeln("collect")
    cloud.faults.lose_reply_next("POST", "/backups$", acting=True)
    staffeln("backup")
    creating = [one["id"] for one in cloud.backups(status="creating")]
    cloud.steering.fail_backups("the tape tore", creating[:1])
    cloud.steering.finish_backups(creating[1:])
    cloud.advance(hours=1)
    return ("check",)


def expired(cloud: SimCloud, staffeln: Staffeln, _: Path) -> tuple[str, ...]:
    cloud.advance(days=30)
    return ("retain",)


def told(cloud: SimCloud, staffeln: Staffeln, _: Path) -> tuple[str, ...]:
    cloud.advance(days=2)
    return ("report",)


def proven(cloud: SimCloud, staffeln: Staffeln, _: Path) -> tuple[str, ...]:
    for one in cloud.volumes():
        cloud.things.set_volume(one["id"], bootable=True)
    return ("verify",)


def restored(cloud: SimCloud, staffeln: Staffeln, _: Path) -> tuple[str, ...]:
    chosen = [word for one in cloud.volumes() for word in ("--volume", one["id"])]
    return ("restore", *chosen)


def made_again(cloud: SimCloud, staffeln: Staffeln, _: Path) -> tuple[str, ...]:
    server = a_whole_server(cloud)
    wired(cloud, server)
    rounds(staffeln, cloud, 1)
    lose(cloud, server)
    cloud.settings.finish_after = timedelta(0)
    return ("restore", "--server", server, "--recreate")


def wished(cloud: SimCloud, staffeln: Staffeln, _: Path) -> tuple[str, ...]:
    chosen = [word for one in cloud.servers() for word in ("--server", one["id"])]
    return ("backup", *chosen)


def imported(cloud: SimCloud, staffeln: Staffeln, folder: Path) -> tuple[str, ...]:
    file = str(folder / "catalog.jsonl.gz")
    staffeln("check")
    staffeln("catalog", "save", file)
    cloud.things.lose_backups()
    for name in PROJECTS:
        cloud.people.grant("backup", name, "admin")
    return ("catalog", "import", file)


def examined(cloud: SimCloud, staffeln: Staffeln, _: Path) -> tuple[str, ...]:
    return ("doctor",)


def searched(cloud: SimCloud, staffeln: Staffeln, _: Path) -> tuple[str, ...]:
    return ("doctor", "--orphans")


def explained(cloud: SimCloud, staffeln: Staffeln, _: Path) -> tuple[str, ...]:
    return ("explain", cloud.volumes()[0]["id"])


def rebound(cloud: SimCloud, staffeln: Staffeln, _: Path) -> tuple[str, ...]:
    return ("db", "rebind")


ARRANGED: tuple[Arranged, ...] = (
    collected,
    begun,
    followed,
    expired,
    told,
    proven,
    restored,
    made_again,
    wished,
    imported,
    examined,
    searched,
    explained,
    rebound,
)


def explore(situation: Situation, examples: int, *, derandomize: bool) -> None:
    projects = {situation.cloud.world.project(name).id for name in PROJECTS}

    @settings(
        max_examples=examples,
        derandomize=derandomize,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a value less odd would tell no more
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(situation.places), st.sampled_from(sorted(ODD)))
    def no_odd_value_matters_elsewhere(place: Place, odd: str) -> None:
        ending = situation.play(place, ODD[odd])
        note(ending.stderr)
        assert (ending.error, ending.exit_code in CODES) == (None, True)
        assert ending.changes <= situation.usual.changes
        if ending.victim in projects and not place.says_whose:
            others = projects - {ending.victim}
            assert ending.exit_code in GOES_ON
            assert ending.changes_in(others) == situation.usual.changes_in(others)

    no_odd_value_matters_elsewhere()


def arrange(cloud: SimCloud, staffeln: Staffeln, folder: Path, arranged: Arranged) -> Situation:
    world(cloud, staffeln)
    return Situation(cloud, staffeln, arranged(cloud, staffeln, folder))


@pytest.mark.parametrize("arranged", ARRANGED)
def test_no_odd_value_is_a_bug_or_stops_what_it_is_not_about(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path, arranged: Arranged
) -> None:
    situation = arrange(cloud, staffeln, tmp_path, arranged)
    explore(situation, examples=5, derandomize=True)


@pytest.mark.soak
@pytest.mark.parametrize("arranged", ARRANGED)
def test_none_of_many_odd_values_is_a_bug_or_stops_what_it_is_not_about(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path, arranged: Arranged
) -> None:
    situation = arrange(cloud, staffeln, tmp_path, arranged)
    explore(situation, examples=500, derandomize=False)
