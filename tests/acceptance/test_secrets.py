"""Passwords, tokens and the secrets in URLs stay out of whatever is printed or logged."""

from pathlib import Path

import pytest

from staffeln_cli.demo.simcloud import SimCloud
from tests.acceptance.builders import a_volume
from tests.acceptance.processes import run
from tests.conftest import Staffeln

HUSH = "hush-hush-4711"


@pytest.fixture
def secretive(cloud: SimCloud, staffeln: Staffeln, tmp_path: Path) -> Staffeln:
    """A login whose password cannot be mistaken for a word."""
    cloud.people.add_user("operator", password=HUSH)
    cloud.people.add_project("shop", operated=False)
    cloud.people.grant("operator", "backup", "admin")
    cloud.people.grant("operator", "shop", "member")
    (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml())
    staffeln.set(CLOUD_NAME="operator")
    return staffeln


def test_everything_said_says_no_password_and_no_token(
    cloud: SimCloud, secretive: Staffeln, tmp_path: Path
) -> None:
    a_volume(cloud)
    secretive.set(LOG_FILE=str(tmp_path / "log"))
    said = ""
    for command in ("collect", "backup", "check", "retain", "doctor"):
        answer = secretive("-vv", "--log-format", "json", command)
        said += answer.stdout + answer.stderr
    said += (tmp_path / "log").read_text()
    assert "gAAAA" not in said
    assert HUSH not in said


@pytest.mark.parametrize("verbosity", ["-q", "-v", "-vv"])
def test_trouble_at_any_verbosity_says_no_password_and_no_token(
    cloud: SimCloud, secretive: Staffeln, verbosity: str
) -> None:
    a_volume(cloud)
    secretive.set(CLOUD_RETRY_TIMEOUT="0s")
    said = ""
    for method, path in (
        ("POST", "/auth/tokens"),
        ("GET", "/servers/detail"),
        ("GET", "/v3/projects"),
    ):
        cloud.faults.fail_next(method, path, status=500, times=1)
        answer = secretive(verbosity, "collect")
        assert answer.exit_code == 69
        said += answer.stdout + answer.stderr
    cloud.faults.lose_reply_next("POST", "/backups", acting=False)
    said += secretive(verbosity, "collect").stderr + secretive(verbosity, "backup").stderr
    assert "gAAAA" not in said
    assert HUSH not in said


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://staffeln:{HUSH}@127.0.0.1:1/state",
        f"postgresql+psycopg://staffeln:{HUSH}@127.0.0.1:1/state?sslmode=require",
        f"postgresql://127.0.0.1:1/state?user=staffeln&password={HUSH}",
        f"postgresql://staffeln:{HUSH}@[broken/state",
        f"postgresql://staffeln:{HUSH}@host:notaport/state",
        f"mysql://staffeln:{HUSH}@host/state",
    ],
)
def test_the_password_in_the_database_url_is_never_shown(staffeln: Staffeln, url: str) -> None:
    staffeln.set(DATABASE_URL=url)
    said = ""
    for command in (["collect"], ["status"], ["db", "current"], ["config", "check"], ["doctor"]):
        answer = staffeln("-vv", *command)
        said += answer.stdout + answer.stderr
    assert HUSH not in said


def test_a_lock_service_out_of_reach_is_told_without_its_password(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    staffeln.set(LOCK_URL=f"redis://:{HUSH}@127.0.0.1:1/0")
    answer = run(staffeln, "-vv", "collect")
    assert answer.returncode == 69
    assert HUSH not in answer.stdout + answer.stderr
