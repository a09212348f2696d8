"""The built package, installed in an environment of its own."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MIGRATIONS = sorted(file.name for file in (ROOT / "sql" / "versions").glob("*.py"))


@dataclass(frozen=True)
class Built:
    """What `python -m build` makes."""

    wheel: Path
    sdist: Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    if find_spec("hatchling"):
        build.append("--no-isolation")
    subprocess.run(build, check=True, capture_output=True)
    return Built(next(folder.glob("*.whl")), next(folder.glob("*.tar.gz")))


@pytest.fixture(scope="session")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A virtual environment with the wheel; its dependencies are those of this one."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    pip += ["--disable-pip-version-check", f"--prefix={home}", "--ignore-installed"]
    subprocess.run([*pip, str(built.wheel)], check=True)
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    yield home / "bin"


def run(installed: Path, *command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run something of that environment, far from the checkout."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environ |= {"HOME": str(folder), "STAFFELN_DATABASE_URL": f"sqlite:///{folder}/state/s.db"}
    return subprocess.run(
        [str(installed / command[0]), *command[1:]],
        cwd=folder, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_package_comes_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    where = run(
        installed,
        "python",
        "-c",
        "import staffeln_cli, sys; print(staffeln_cli.__file__)",
        folder=tmp_path,
    )
    assert str(installed.parent) in where.stdout


def test_a_database_can_be_made_with_nothing_but_the_wheel(
    installed: Path, tmp_path: Path
) -> None:
    upgrade = run(installed, "staffeln", "db", "upgrade", folder=tmp_path)
    assert upgrade.returncode == 0, upgrade.stderr
    assert (tmp_path / "state" / "s.db").exists()
    again = run(installed, "staffeln", "db", "upgrade", folder=tmp_path)
    assert again.returncode == 0, again.stderr
    status = run(installed, "staffeln", "status", "-f", "json", folder=tmp_path)
    assert status.returncode == 0, status.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"]])
def test_help_and_version_work(installed: Path, tmp_path: Path, arguments: list[str]) -> None:
    answer = run(installed, "staffeln", *arguments, folder=tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "staffeln" in answer.stdout


def test_help_imports_nothing_that_is_slow(installed: Path, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from staffeln_cli.cli import staffeln\n"
        "try:\n    staffeln(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    answer = run(installed, "python", "-c", program, folder=tmp_path)
    loaded = {name.partition(".")[0] for name in answer.stderr.split()}
    slow = {"openstack", "keystoneauth1", "requests", "sqlalchemy", "alembic", "rich", "jinja2"}
    assert not slow & loaded
    assert "collect" in answer.stdout


def test_the_wheel_brings_migrations_crontabs_and_types(built: Built) -> None:
    names = zipfile.ZipFile(built.wheel).namelist()
    for migration in (*MIGRATIONS, "../env.py", "../script.py.mako"):
        assert os.path.normpath(f"staffeln_cli/sql/versions/{migration}") in names
    assert "staffeln_cli/py.typed" in names
    assert "staffeln_cli/templates/page.html.j2" in names
    shared = [name for name in names if "/data/share/staffeln/cron/" in name]
    expected = [file for file in (ROOT / "cron").rglob("*") if file.is_file()]
    assert len(shared) == len(expected)
    assert not [name for name in names if name.startswith("tests/") or "__pycache__" in name]


def test_crontabs_and_manual_pages_are_installed_where_they_are_looked_for(
    installed: Path,
) -> None:
    share = installed.parent / "share"
    assert (share / "staffeln" / "cron").is_dir()
    for name in ("staffeln.1", "staffeln-collect.1"):
        assert (share / "man" / "man1" / name).is_file()


def test_the_source_package_brings_tests_and_documents(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = ["/".join(name.split("/")[1:]) for name in archive.getnames()]
    for wanted in ("tests/conftest.py", "docs/", "sql/env.py", "README.md", "LICENSE", "Makefile"):
        assert any(name.startswith(wanted) for name in names), wanted
