"""Any history of one volume, as a listing of Cinder's joined with our records."""

from datetime import timedelta

from hypothesis import strategies as st

from staffeln_cli.model import (
    State,
)
from staffeln_cli.model.durations import Duration
from staffeln_cli.planning.chains.members import Member
from staffeln_cli.planning.retention.policy import Policy
from tests.build import NOW, a_backup, a_brief

AGES = st.integers(0, 400 * 24 * 4).map(lambda quarters: timedelta(minutes=15 * quarters))
STATUSES = st.sampled_from(["available"] * 9 + ["error", "restoring", "deleting", "creating"])
STATES = st.sampled_from([State.AVAILABLE] * 9 + [State.FAILED, State.DELETING, State.CREATING])
DURATIONS = st.builds(
    Duration,
    st.integers(0, 13),
    st.integers(0, 60).map(lambda days: timedelta(days=days)),
)


@st.composite
def members(draw: st.DrawFn, name: str) -> Member:
    made = NOW - draw(AGES)
    of_snapshot = draw(st.integers(0, 9)) == 0
    backup = a_backup(
        name,
        incremental=draw(st.booleans()),
        status=draw(STATUSES),
        created_at=made,
        data_timestamp=made - draw(AGES) if of_snapshot else made,
        updated_at=made + draw(st.sampled_from([timedelta(minutes=5), timedelta(days=3)])),
        snapshot_id="a snapshot" if of_snapshot else None,
    )
    if draw(st.integers(0, 5)) == 0:
        return Member(backup)
    pinned = draw(st.integers(0, 19)) == 0
    return Member(backup, a_brief(backup, state=draw(STATES), pinned=pinned))


@st.composite
def histories(draw: st.DrawFn) -> list[Member]:
    """Names that tell nothing about the order; times of which some are equal."""
    count = draw(st.integers(0, 14))
    return [draw(members(f"{place * 7 % 15:02}")) for place in range(count)]


POLICIES = st.builds(
    Policy,
    time=st.none() | DURATIONS,
    last=st.integers(0, 4),
    hourly=st.integers(0, 4),
    daily=st.integers(0, 4),
    weekly=st.integers(0, 4),
    monthly=st.integers(0, 4),
    yearly=st.integers(0, 2),
)
