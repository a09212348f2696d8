"""The doctor, and what it said."""

from typing import Any

import pytest

from staffeln_cli.demo.simcloud import SimCloud


class Checkup:
    """What the doctor said."""

    def __init__(self, answer: Any) -> None:
        self.exit_code = answer.exit_code
        self.checks = answer.json

    def levels(self, name: str) -> set[str]:
        return {one["level"] for one in self.checks if one["name"] == name}

    def said(self, name: str) -> str:
        parts = [f"{one['text']} {one['advice']}" for one in self.checks if one["name"] == name]
        return "\n".join(parts)

    def not_ok(self) -> set[str]:
        return {one["name"] for one in self.checks if one["level"] != "ok"}


@pytest.fixture
def doctor(staffeln: Any, cloud: SimCloud) -> Any:
    """A visit to the doctor."""
    cloud.people.add_project("alpha")
    staffeln.set(POLICY_PORT="1")  # nobody listens there
    return lambda *arguments: Checkup(staffeln(*arguments, "doctor", "-f", "json"))
