"""What can be wrong between clouds.yaml and the services: a sentence each time, never a bug."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from staffeln_cli.cloud.clocks import stated_moment
from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.errors import CloudUnavailable, ConfigError
from tests.acceptance.builders import a_volume, reasons, records, some_volumes, states
from tests.conftest import Staffeln

UNAVAILABLE, WRONG = CloudUnavailable.exit_code, ConfigError.exit_code
HTML = "<html><title>Welcome to nginx!</title></html>"
EDITS = {
    "an unknown key": ("username:", "usernme:", "usernme"),
    "an auth_url without a scheme": ("http://", "", "auth_url"),
    "an auth_url without a host": ("http://127.0.0.1", "http://", "auth_url"),
    "an auth_url with a port that is none": ("127.0.0.1:", "127.0.0.1:x", "auth_url"),
    "an auth_url that is a number": ("auth_url: http", "auth_url: 5000 #", "clouds.yaml"),
    "an auth_type that does not exist": ("auth_type: password", "auth_type: pass", "pass"),
    "an auth_type without its options": (
        "auth_type: password",
        "auth_type: v3oidcpassword",
        "discovery-endpoint",
    ),
    "a region that is not there": ("RegionOne", "RegionNine", "RegionOne"),
    "an interface that is not there": ("interface: public", "interface: privat", "public"),
    "an entry without content": ("  sim:\n    auth_type", "  sim:\n  old:\n    auth_type", "sim"),
    "clouds as a list": ("clouds:\n", "clouds: [sim]\nothers:\n", "clouds.yaml"),
    "an auth that is a word": ("    auth:\n", "    auth: secret\n    other:\n", "clouds.yaml"),
}


@pytest.mark.parametrize("mistake", EDITS)
def test_a_mistake_in_clouds_yaml_is_named(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path, mistake: str
) -> None:
    old, new, word = EDITS[mistake]
    (tmp_path / "clouds.yaml").write_text(cloud.clouds_yaml().replace(old, new))
    answer = staffeln("collect")
    assert (answer.exit_code, word in answer.stderr) == (WRONG, True), answer.stderr
    assert len(answer.stderr.splitlines()) <= 3


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("clouds.yaml", "clouds:\n  sim:\n  - auth: {\n", "line 4, column 1"),
        ("clouds.yaml", "clouds:\n\tsim: {}\n", "line 2, column 1"),
        ("clouds.yaml", "clouds: \xff\xfe\n", "not understood"),
        ("clouds.json", '{"clouds": }', "line 1, column 12"),
    ],
)
def test_a_file_of_clouds_that_is_not_understood_is_named_with_the_place(
    cloud: SimCloud,
    staffeln: Staffeln,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    content: str,
    said: str,
) -> None:
    file = tmp_path / name
    file.write_bytes(content.encode("latin-1"))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(file))
    answer = staffeln("collect")
    assert answer.exit_code == WRONG
    assert f"{file}: is not " in answer.stderr
    assert said in answer.stderr, answer.stderr
    assert cloud.requests == []


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ("prod", "cloud prod: Cloud prod was not found; set OS_CLOUD or cloud.name to one of "),
        (None, "not given: auth_url; set OS_CLOUD or cloud.name to one of "),
    ],
)
def test_a_cloud_that_the_file_does_not_have_is_named_with_those_it_has(
    cloud: SimCloud,
    staffeln: Staffeln,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    chosen: str | None,
    said: str,
) -> None:
    file = tmp_path / "clouds.yaml"
    file.write_text(cloud.clouds_yaml() + "  old: {}\n")
    monkeypatch.delenv("OS_CLOUD")
    if chosen is not None:
        monkeypatch.setenv("OS_CLOUD", chosen)
    answer = staffeln("collect")
    assert (answer.exit_code, cloud.requests) == (WRONG, [])
    assert f"{said}{file}: old, sim" in answer.stderr


@pytest.mark.parametrize("variable", ["OS_CLIENT_CONFIG_FILE", "OS_CLIENT_SECURE_FILE"])
def test_a_file_of_clouds_that_is_not_there_is_named(
    cloud: SimCloud, staffeln: Staffeln, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "/nowhere/clouds.yaml")
    answer = staffeln("collect")
    assert (answer.exit_code, cloud.requests) == (WRONG, [])
    assert f"/nowhere/clouds.yaml: does not exist; {variable} names it" in answer.stderr


def test_a_file_of_clouds_that_cannot_be_read_is_named(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    file = tmp_path / "clouds.yaml"
    file.unlink()
    file.mkdir()
    answer = staffeln("collect")
    assert (answer.exit_code, cloud.requests) == (WRONG, [])
    assert f"{file}: cannot be read: Is a directory" in answer.stderr


@pytest.mark.parametrize("key", ["cacert", "cert"])
def test_a_certificate_file_that_is_not_there_is_named(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path, key: str
) -> None:
    text = cloud.clouds_yaml().replace("http:", "https:", 1)
    entry = text.replace("    interface: public\n", f"    {key}: /nowhere/file.pem\n", 1)
    (tmp_path / "clouds.yaml").write_text(entry)
    answer = staffeln("collect")
    assert (answer.exit_code, "/nowhere/file.pem" in answer.stderr) == (WRONG, True), answer.stderr


ANSWERS: Mapping[str, tuple[int, str | None]] = {
    "400": (400, None),
    "405": (405, None),
    "410": (410, None),
    "404 of a proxy": (404, "default backend - 404"),
    "200 with a page": (200, HTML),
    "200 with a number": (200, "17"),
    "200 with half a token": (200, '{"token": {"methods": []}}'),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_odd_answer_to_the_login_names_auth_url(
    cloud: SimCloud, staffeln: Staffeln, answer: str, method: str
) -> None:
    status, body = ANSWERS[answer]
    cloud.faults.fail_next(method, "/identity", status=status, body=body, times=99)
    said = staffeln("collect")
    assert said.exit_code == UNAVAILABLE
    assert "auth_url" in said.stderr
    assert len(said.stderr.splitlines()) == 1


@pytest.mark.parametrize("form", ["GMT", "-0000", "asctime"])
def test_the_time_of_a_service_is_understood_in_every_form(
    cloud: SimCloud, staffeln: Staffeln, form: str
) -> None:
    cloud.settings.date_form = form
    a_volume(cloud)
    for command in ("collect", "backup", "check", "retain"):
        assert staffeln(command).exit_code == 0


@pytest.mark.parametrize("text", ["Sun Nov 06 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 -0000"])
def test_a_date_is_in_utc_whatever_its_form(text: str) -> None:
    moment = stated_moment(text)
    assert moment is not None
    assert moment.isoformat() == "1994-11-06T08:49:37+00:00"


@pytest.mark.parametrize("text", [None, "", "yesterday", "Sun, 99 Nov 1994 08:49:37 GMT"])
def test_a_date_that_is_not_understood_says_nothing(text: str | None) -> None:
    assert stated_moment(text) is None


def test_a_rate_limit_that_answers_413_is_not_the_quota(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 2)
    staffeln("collect")
    cloud.faults.fail_next("POST", "/backups", status=413, headers={"Retry-After": "4"})
    answer = staffeln("backup", "-f", "json")
    assert answer.counts["started"] == 1
    assert "quota" not in str([one["reason"] for one in records(staffeln)])
    cloud.advance(minutes=6)
    assert staffeln("backup", "-f", "json").counts["started"] == 1


def test_a_rate_limit_on_a_listing_is_waited_for(cloud: SimCloud, staffeln: Staffeln) -> None:
    cloud.faults.fail_next("GET", "/volumes/detail", status=413, headers={"Retry-After": "1"})
    assert staffeln("collect").exit_code == 0


def test_a_project_whose_catalogue_hides_cinder_waits_and_the_others_go_on(
    cloud: SimCloud, staffeln: Staffeln
) -> None:
    some_volumes(cloud, 2, project="hidden")
    some_volumes(cloud, 2, project="shop")
    staffeln("collect")
    cloud.settings.endpoint_filter = {cloud.world.project("hidden").id: frozenset({"volumev3"})}
    answer = staffeln("backup", "-f", "json")
    assert (answer.exit_code, answer.counts["started"]) == (3, 2)
    assert sorted(states(staffeln)) == ["creating", "creating", "planned", "planned"]
    waiting = [one["reason"] for one in records(staffeln) if one["state"] == "planned"]
    assert all("nothing was sent" in reason for reason in waiting)
    assert any("nothing was sent" in reason for reason in reasons(answer))
    cloud.settings.endpoint_filter = {}
    assert staffeln("backup", "-f", "json").counts["started"] == 2
