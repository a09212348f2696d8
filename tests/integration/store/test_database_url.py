"""database.url: mistakes are sentences, and no piece of the password is in them."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from staffeln_cli.errors import ConfigError, StoreUnavailable
from staffeln_cli.store import Store
from staffeln_cli.store.policy_lookup.drivers import PostgresqlConnection

HOST = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("?hush=1", "an option that does not exist for postgresql+psycopg; those there are: app"),
        ("?connect_timeout=soon", "bad value for connect_timeout: 'soon'"),
    ],
)
def test_an_option_that_the_driver_refuses_is_a_mistake(options: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Store(f"postgresql://me:secret@{HOST}/state{options}").database.revision()
    assert expected in str(caught.value)
    assert "hush" not in str(caught.value)


def test_sqlite_has_options_of_its_own(tmp_path: Path) -> None:
    assert Store(f"sqlite:///{tmp_path}/db?timeout=3").database.revision() is None
    with pytest.raises(ConfigError, match="does not exist for sqlite; those there are: cached"):
        Store(f"sqlite:///{tmp_path}/db?sslmode=require")


@pytest.mark.parametrize("password", ["one@hush", "one@hush@two", "one@hush?x", "h@hush/:#"])
def test_the_end_of_a_password_with_an_at_sign_is_not_shown(password: str) -> None:
    with pytest.raises((StoreUnavailable, ConfigError)) as caught:
        Store(f"postgresql://me:{password}@{HOST}/state").database.revision()
    assert "hush" not in str(caught.value)


def test_nor_is_it_by_the_policy_endpoint() -> None:
    url = make_url(f"postgresql+psycopg://me:one@hush@{HOST}/state")
    with pytest.raises(StoreUnavailable, match=r"\*\*\*") as caught:
        PostgresqlConnection(url)
    assert "hush" not in str(caught.value)
