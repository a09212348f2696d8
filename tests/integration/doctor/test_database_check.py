"""The doctor's word on a database of PostgreSQL: whether it can be written is tried."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import StoreUnavailable
from tests.conftest import staffeln_on
from tests.integration.doctor.conftest import Checkup


@pytest.fixture
def url(postgresql_url: str) -> str:
    """A database in which a user `reader` may read everything."""
    run(postgresql_url, "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN")
    run(postgresql_url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    return postgresql_url


def run(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def checked(cloud: SimCloud, url: str, folder: Path) -> Checkup:
    staffeln = staffeln_on(url, cloud, folder)
    staffeln.set(POLICY_PORT="1")  # nobody listens there
    return Checkup(staffeln("doctor", "-f", "json"))


def test_a_database_that_takes_writes_is_called_writable(
    cloud: SimCloud, url: str, tmp_path: Path
) -> None:
    found = checked(cloud, url, tmp_path)
    assert found.levels("database") == {"ok"}
    assert "writable" in found.said("database")


@pytest.mark.parametrize("why", ["read-only", "permission denied"])
def test_a_database_that_takes_no_writes_is_not_called_writable(
    cloud: SimCloud, url: str, tmp_path: Path, why: str
) -> None:
    name = make_url(url).database
    if why == "read-only":
        run(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    else:
        url = url.replace("postgres:@", "reader:@")
    found = checked(cloud, url, tmp_path)
    assert found.exit_code == StoreUnavailable.exit_code
    assert found.levels("database") == {"problem"}
    assert why in found.said("database")
    assert "writable" not in found.said("database")
