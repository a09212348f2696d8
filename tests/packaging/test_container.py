"""What cron/container/Containerfile runs, in the same steps but for the base image."""

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services.server import free_port, wait_until

ROOT = Path(__file__).parents[2]
PREPARED = ("groupadd",)
"""Steps that need root and the base image."""


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Containerfile: `RUN`, and what."""

    word: str
    text: str


def instructions() -> list[Instruction]:
    text = (ROOT / "cron/container/Containerfile").read_text().replace("\\\n", "")
    lines = [line.strip() for line in text.splitlines() if line and not line.startswith("#")]
    return [Instruction(*line.split(None, 1)) for line in lines]


def the(word: str) -> str:
    (found,) = [each.text for each in instructions() if each.word == word]
    return found


@dataclass(frozen=True)
class Image:
    """The folders of the two stages, below one of this test's own."""

    folder: Path

    def placed(self, text: str) -> str:
        """A step, with the folders of the image below ours."""
        text = re.sub(r"(/opt/\w+|/wheels)", rf"{self.folder}\1", text)
        return text.replace("/source", str(ROOT))

    def run(self, text: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["sh", "-euc", self.placed(text)],
            env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", **environ},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )

    def lend_packages(self, name: str) -> None:
        """Let an environment use the packages of this one: no test asks a registry."""
        base = self.folder / "opt" / name
        packages = Path(sysconfig.get_path("purelib", vars={"base": str(base)}))
        (packages / "lent.pth").write_text(sysconfig.get_path("purelib"))


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The steps of the file, one after the other."""
    image = Image(tmp_path_factory.mktemp("image"))
    (image.folder / "opt").mkdir()
    for step in (each.text for each in instructions() if each.word == "RUN"):
        if step.startswith(PREPARED):
            continue
        options = {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
        for part in step.split(" && "):
            if "-m build" in part:
                part = part.replace("-m build", "-m build --no-isolation")  # noqa: PLW2901
            if "[postgresql" in part:
                options |= {"PIP_NO_DEPS": "1", "PIP_IGNORE_INSTALLED": "1"}
            done = image.run(part, **options)
            assert done.returncode == 0, f"{part}: {done.stderr}"
            if "-m venv" in part:
                image.lend_packages(part.split()[-1].rpartition("/")[2])
    return image


def test_each_step_of_the_file_can_be_run(image: Image) -> None:
    entry = json.loads(the("ENTRYPOINT"))
    default = json.loads(the("CMD"))
    shown = image.run(" ".join([f"/opt/staffeln/bin/{entry[0]}", *default]))
    assert shown.returncode == 0, shown.stderr
    assert "Usage: staffeln" in shown.stdout
    program = "import staffeln_cli; print(staffeln_cli.__file__)"
    where = image.run(f'/opt/staffeln/bin/python -c "{program}"').stdout
    assert where.startswith(str(image.folder)), "the wheel, not the checkout"


def test_the_health_check_tells_an_endpoint_that_answers_from_one_that_does_not(
    image: Image, sqlite_url: str
) -> None:
    command = json.loads(the("HEALTHCHECK").partition("CMD ")[2])
    port = str(free_port())
    environ = {**os.environ, "STAFFELN_POLICY_PORT": port, "STAFFELN_DATABASE_URL": sqlite_url}
    programs = image.folder / "opt/staffeln/bin"

    def is_healthy() -> bool:
        check = subprocess.run(
            [programs / command[0], *command[1:]], env=environ, capture_output=True, check=False
        )
        return check.returncode == 0

    assert not is_healthy()
    serving = subprocess.Popen([programs / "staffeln", "serve-policy"], env=environ)
    try:
        wait_until(is_healthy, "the endpoint is healthy")
    finally:
        serving.send_signal(signal.SIGTERM)
        serving.wait()
    assert not is_healthy()


def test_the_image_runs_as_a_user_without_rights_and_is_labelled() -> None:
    assert the("USER") == "10001:10001"
    assert "org.opencontainers.image.licenses" in the("LABEL")
    stages = [each.text for each in instructions() if each.word == "FROM"]
    assert len(stages) == 2
    copied = [each.text for each in instructions() if each.word == "COPY"]
    assert copied == [". /source", "--from=build /opt/staffeln /opt/staffeln"]
