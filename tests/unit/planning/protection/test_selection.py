import pytest

from staffeln_cli.model import (
    DecidedBy,
    InventoryVolume,
    Protection,
    ServerId,
    SkipCause,
    Volume,
)
from staffeln_cli.planning.protection.selection import (
    is_temporary,
    narrowed,
    protection,
)
from tests.build import a_volume, an_inventory_volume
from tests.unit.planning.protection.builders import MARKED, judged, projects, servers, some_rules


def test_a_volume_of_a_marked_server_is_protected() -> None:
    found = judged(a_volume("s1"))
    assert (found.protected, found.skip_reason) == (True, None)
    assert (found.server_id, found.server_name) == ("s1", "name of s1")


@pytest.mark.parametrize("value", ["true", "True", " TRUE\n"])
def test_the_mark_is_true_in_any_case_and_trimmed(value: str) -> None:
    assert judged(a_volume("s1"), tags={"s1": {"backup": value}}).protected


@pytest.mark.parametrize("value", ["", "yes", "1", "truely", "false"])
def test_no_other_value_is_a_mark(value: str) -> None:
    found = judged(a_volume("s1"), tags={"s1": {"backup": value}})
    assert (found.protected, found.skip_reason) == (False, "its server is not marked")


def test_an_empty_key_marks_every_server() -> None:
    found = protection(a_volume("s1"), servers(s1={}), projects(), some_rules(key=""), None)
    assert found.protected


def test_a_volume_without_a_server_is_left_out() -> None:
    assert judged(a_volume()).skip_reason == "not attached to a server"


def test_a_skipped_volume_is_left_out_and_says_why() -> None:
    found = judged(a_volume("s1", metadata={"skip": " True"}))
    assert (found.protected, found.skip_reason) == (False, "marked with skip")


@pytest.mark.parametrize("mark", ["true", " True "])
def test_a_volume_may_ask_for_backups_whatever_its_servers_say(mark: str) -> None:
    found = judged(a_volume("s1", metadata={"backup": mark}), tags={"s1": {"backup": "false"}})
    assert (found.protected, found.protection_decided_by) == (True, DecidedBy.VOLUME)
    detached = judged(a_volume(metadata={"backup": mark}))
    assert (detached.protected, detached.server_id) == (True, None)


def test_a_volume_may_ask_to_be_left_out_although_its_server_is_marked() -> None:
    found = judged(a_volume("s1", metadata={"backup": "false"}))
    assert (found.protected, found.skip_reason) == (False, "marked with backup=false")
    assert (found.skip_cause, found.protection_decided_by) == (
        SkipCause.REQUEST,
        DecidedBy.VOLUME,
    )


def test_any_other_word_of_a_volume_leaves_the_decision_to_its_server() -> None:
    found = judged(a_volume("s1", metadata={"backup": "yes"}))
    assert (found.protected, found.protection_decided_by) == (True, DecidedBy.SERVER)


def test_the_skip_mark_wins_over_the_volumes_own_wish_for_backups() -> None:
    found = judged(a_volume("s1", metadata={"backup": "true", "skip": "true"}))
    assert (found.protected, found.skip_reason) == (False, "marked with skip")


def test_a_disabled_project_is_left_out() -> None:
    off = projects(enabled=False)
    found = protection(a_volume("s1"), servers(s1=MARKED), off, some_rules(), None)
    assert found.skip_reason == "its project is disabled"


def test_a_project_that_keystone_does_not_list_is_left_out() -> None:
    found = protection(a_volume("s1"), servers(s1=MARKED), {}, some_rules(), None)
    assert found.skip_reason == "its project is unknown"


@pytest.mark.parametrize("status", ["available", "in-use"])
def test_a_good_status_allows_a_backup(status: str) -> None:
    found = judged(a_volume("s1", status=status))
    assert (found.busy, found.problem) == (False, None)


@pytest.mark.parametrize("status", ["backing-up", "attaching", "extending", "reserved"])
def test_a_busy_volume_is_looked_at_again_later(status: str) -> None:
    found = judged(a_volume("s1", status=status))
    assert (found.protected, found.busy, found.problem) == (True, True, None)


@pytest.mark.parametrize("status", ["error", "error_extending", "of-the-future"])
def test_any_other_status_is_a_problem_that_is_named(status: str) -> None:
    found = judged(a_volume("s1", status=status))
    assert (found.protected, found.busy) == (True, False)
    assert status in (found.problem or "")


@pytest.mark.parametrize("status", ["error", "backing-up"])
def test_a_volume_that_is_not_protected_has_no_problem(status: str) -> None:
    found = judged(a_volume(status=status))
    assert (found.busy, found.problem) == (False, None)


class TestAnUnknownServer:
    LAST = an_inventory_volume(
        protected=True, server_id=ServerId("s9"), server_name="gone", retention="30d"
    )

    def test_leaves_what_was_remembered_in_force(self) -> None:
        found = judged(a_volume("s9"), last=self.LAST)
        assert found == Protection(
            protected=True,
            server_id=ServerId("s9"),
            server_name="gone",
            retention="30d",
            retention_decided_by=DecidedBy.SERVER,
        )

    def test_leaves_an_unprotected_volume_unprotected_for_the_same_reason(self) -> None:
        reason, cause = "its server is not marked", SkipCause.UNMARKED
        last = an_inventory_volume(protected=False, skip_reason=reason, skip_cause=cause)
        found = judged(a_volume("s9"), last=last)
        assert (found.protected, found.skip_reason, found.skip_cause) == (False, reason, cause)

    @pytest.mark.parametrize("last", [None, an_inventory_volume(protected=False)])
    def test_is_told_where_nothing_is_remembered(self, last: InventoryVolume | None) -> None:
        found = judged(a_volume("s9"), last=last)
        assert (found.protected, found.skip_reason) == (False, "its server is unknown to Nova")
        assert (found.server_id, found.server_name) == ("s9", "")

    def test_is_no_unmarking_of_a_volume_that_an_unmarked_server_shares(self) -> None:
        found = judged(a_volume("s1", "s9"), last=self.LAST, tags={"s1": {}})
        assert (found.protected, found.retention) == (True, "30d")

    def test_does_not_overrule_the_volumes_own_skip_mark(self) -> None:
        found = judged(a_volume("s9", metadata={"skip": "true"}), last=self.LAST)
        assert not found.protected


def test_a_marked_server_is_named_before_an_unmarked_one() -> None:
    found = judged(a_volume("s1", "s2"), tags={"s1": {}, "s2": MARKED})
    assert (found.protected, found.server_id) == (True, "s2")


CLONE = "backup-vol-11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("volume", "temporary"),
    [
        (a_volume("s1"), False),
        (a_volume(name=CLONE), True),
        (a_volume("s1", name=CLONE), False),
        (a_volume(name="backup-vol-of-mine"), False),
        (a_volume("s1", migration_status="target:11111111"), True),
        (a_volume("s1", migration_status="migrating"), False),
    ],
)
def test_volumes_that_cinder_made_for_itself_are_told_from_the_users(
    volume: Volume, temporary: bool
) -> None:
    assert is_temporary(volume) is temporary


def test_of_many_servers_only_the_metadata_that_selection_reads_is_held_and_once() -> None:
    many = servers(
        s1=MARKED | {"retention": "1y", "user": "a" * 255},
        s2=MARKED | {"retention": "1y", "user": "b" * 255},
        s3={"user": "c"},
    )
    one, other, unmarked = narrowed(many.values(), some_rules())
    assert dict(one.metadata) == MARKED | {"retention": "1y"}
    assert one.metadata is other.metadata
    assert (dict(unmarked.metadata), unmarked.name) == ({}, "name of s3")
