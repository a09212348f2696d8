from hypothesis import given
from hypothesis import strategies as st

from staffeln_cli.model import (
    InventoryVolume,
    Project,
    ProjectId,
    Protection,
    Server,
    ServerId,
    Volume,
    VolumeId,
)
from staffeln_cli.planning.protection.rules import Rules
from staffeln_cli.planning.protection.selection import protection
from staffeln_cli.planning.retention.policy import in_force, reach
from tests.build import an_inventory_volume
from tests.properties.histories import DURATIONS, POLICIES

PROJECT = ProjectId("p")
VALID = st.sampled_from(["1d", "17d", "18d", "1mon", "1y", "gold", "silver"])
INVALID = st.sampled_from(["", "1 d", "bronze", "17", "-3d", "1e9d", "gold!"]) | st.text()
RULES = st.builds(
    Rules,
    metadata_key=st.just("backup"),
    skip_volume_key=st.just("skip"),
    retention_key=st.just("retention"),
    policies=st.fixed_dictionaries({"gold": POLICIES, "silver": POLICIES}),
    default=DURATIONS,
)


def judged(values: list[str | None], rules: Rules, last: InventoryVolume | None) -> Protection:
    servers = {}
    for number, asked in enumerate(values):
        metadata = {"backup": "true"} | ({} if asked is None else {"retention": asked})
        name = ServerId(f"s{number}")
        servers[name] = Server(name, name, PROJECT, metadata)
    volume = Volume(VolumeId("v"), "v", PROJECT, "in-use", 1, tuple(servers))
    return protection(volume, servers, {PROJECT: Project(PROJECT, "p")}, rules, last)


@given(RULES, INVALID, st.none() | VALID)
def test_a_typo_never_shortens_some_terms(rules: Rules, typo: str, last: str | None) -> None:
    found = judged([typo], rules, an_inventory_volume(protected=True, retention=last))
    if found.bad_retention is None:
        assert found.retention == typo.strip()
        return
    holds = reach(in_force(found.retention, rules.policies, rules.default))
    for applied in (None, last):
        assert holds >= reach(in_force(applied, rules.policies, rules.default))


@given(RULES, st.lists(INVALID, min_size=1, max_size=5), st.none() | VALID)
def test_a_row_of_typos_shortens_nothing_either(
    rules: Rules, typos: list[str], last: str | None
) -> None:
    applied = reach(in_force(last, rules.policies, rules.default))
    for typo in typos:
        found = judged([typo], rules, an_inventory_volume(protected=True, retention=last))
        if found.bad_retention is None:
            return
        last = found.retention
        assert reach(in_force(last, rules.policies, rules.default)) >= applied


@given(RULES, st.lists(st.none() | VALID | INVALID, min_size=1, max_size=3), st.none() | VALID)
def test_the_order_of_servers_does_not_matter(
    rules: Rules, values: list[str | None], last: str | None
) -> None:
    remembered = an_inventory_volume(protected=True, retention=last)
    there, back = (judged(w, rules, remembered) for w in (values, values[::-1]))
    assert there.retention == back.retention


@given(RULES, VALID, st.none() | VALID)
def test_an_explicit_change_is_honoured(rules: Rules, asked: str, last: str | None) -> None:
    assert (
        judged([asked], rules, an_inventory_volume(protected=True, retention=last)).retention
        == asked
    )


@given(RULES, st.none() | VALID)
def test_a_disappearance_changes_nothing(rules: Rules, last: str | None) -> None:
    remembered = an_inventory_volume(protected=True, retention=last, server_id=ServerId("s9"))
    volume = Volume(VolumeId("v"), "v", PROJECT, "in-use", 1, (ServerId("s9"),))
    found = protection(volume, {}, {PROJECT: Project(PROJECT, "p")}, rules, remembered)
    assert (found.protected, found.retention) == (True, last)
