"""Databases of PostgreSQL in other encodings than UTF8."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import ConfigError
from tests.acceptance.builders import a_volume, changes, rounds, volumes
from tests.conftest import migrate, staffeln_on

NAME = "wöb-☃-💾"


@pytest.fixture
def url(postgresql_server: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database of the encoding that the test names."""
    name = f"e{secrets.token_hex(6)}"
    engine = create_engine(postgresql_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(
            text(
                f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{request.param}'"
                " LC_COLLATE 'C' LC_CTYPE 'C'"
            )
        )
    url = postgresql_server.replace("/postgres?", f"/{name}?")
    migrate(url)
    yield url
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.mark.parametrize("url", ["UTF8", "SQL_ASCII"], indirect=True)
def test_any_name_is_kept_where_the_encoding_takes_it(
    cloud: SimCloud, url: str, tmp_path: Path
) -> None:
    staffeln = staffeln_on(url, cloud, tmp_path)
    volume = a_volume(cloud, NAME)
    rounds(staffeln, cloud, 2)
    assert volumes(staffeln)[volume]["volume_name"] == NAME
    assert len(cloud.backups()) == 2


@pytest.mark.parametrize("url", ["LATIN1", "EUC_JP"], indirect=True)
def test_a_database_that_cannot_keep_any_name_is_refused_before_one_tenant_stops_all(
    cloud: SimCloud, url: str, tmp_path: Path
) -> None:
    staffeln = staffeln_on(url, cloud, tmp_path)
    a_volume(cloud, NAME)
    for command in ("collect", "run", "status"):
        answer = staffeln(command)
        assert answer.exit_code == ConfigError.exit_code
        assert "expected UTF8" in answer.stderr
    assert changes(cloud) == []
