"""Where things are kept unless somebody says so."""

import os
from pathlib import Path

import pytest

from staffeln_cli.config import load


def database(monkeypatch: pytest.MonkeyPatch, user: int) -> str:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    return load(None, {}).settings.database.url


def test_root_keeps_its_state_in_the_systems_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert database(monkeypatch, 0) == "sqlite:////var/lib/staffeln/staffeln.db"


def test_a_user_keeps_it_where_the_desktop_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert database(monkeypatch, 1000) == "sqlite:////state/staffeln/staffeln.db"


@pytest.mark.parametrize("home", ["/", None])
def test_a_user_without_a_home_keeps_it_in_the_systems_folder(
    monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    if home is None:
        monkeypatch.delenv("HOME", raising=False)
        monkeypatch.setattr(os, "getuid", lambda: 54321)  # whom passwd does not know
    else:
        monkeypatch.setenv("HOME", home)
    assert database(monkeypatch, 1000) == "sqlite:////var/lib/staffeln/staffeln.db"


def test_or_else_under_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert database(monkeypatch, 1000) == f"sqlite:///{tmp_path}/.local/state/staffeln/staffeln.db"
