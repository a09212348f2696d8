"""A catalog that is saved or imported survives the death of the process at every step."""

import os
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

from staffeln_cli.demo.simcloud import SimCloud
from staffeln_cli.demo.simcloud.calls import Request
from staffeln_cli.demo.simcloud.world import BackupHost
from tests.acceptance.builders import rounds, some_volumes
from tests.conftest import Staffeln
from tests.resilience.conftest import IS_SOAK
from tests.resilience.hosts import KILLED, Host, Running

DIES = """
import os, signal, sys
last = int(sys.argv.pop(1))
def hook(event, arguments):
    global last
    named = any(os.environ["TARGET"] in os.fsdecode(one) for one in arguments[:2]
                if isinstance(one, (str, bytes)))
    if event in {"open", "os.rename", "os.remove"} and named:
        last -= 1
        if last == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
from staffeln_cli.__main__ import main
main()
"""
"""Staffeln that is killed just before it opens, renames or removes a file of the catalog."""


def test_a_save_that_is_killed_leaves_the_file_of_before(
    cloud: SimCloud, staffeln: Staffeln, tmp_path: Path
) -> None:
    some_volumes(cloud, 2)
    folder = tmp_path / "catalogs"
    folder.mkdir()
    file = folder / "catalog.jsonl.gz"
    assert staffeln("catalog", "save", str(file)).exit_code == 0
    rounds(staffeln, cloud, 1)
    before = file.read_bytes()
    for step in count(1):
        child = subprocess.run(
            [sys.executable, "-c", DIES, str(step), "catalog", "save", str(file)],
            env={**os.environ, **staffeln.environ, "TARGET": str(folder)},
            check=False,
        )
        assert staffeln("catalog", "check", str(file)).exit_code == 0
        if child.returncode != -signal.SIGKILL:
            break
        if file.read_bytes() == before:
            assert [one.name for one in folder.glob("[!.]*")] == [file.name]
    assert step > 2
    assert file.read_bytes() != before


def lost_in_two_zones(cloud: SimCloud, staffeln: Staffeln, file: str) -> set[str]:
    """Backups in two zones, saved; their ids."""
    some_volumes(cloud, 4)
    staffeln.set(CATALOG_RECORDS="false", BACKUP_MIN_INTERVAL="0s")
    rounds(staffeln, cloud, 2, days=0)
    for number, backup in enumerate(cloud.backups()):
        zone = f"az{number % 2}"
        cloud.things.set_backup(backup["id"], host=f"host-{zone}", availability_zone=zone)
    cloud.settings.backup_hosts = (BackupHost("host-az0", "az0"), BackupHost("host-az1", "az1"))
    staffeln.set(CATALOG_RECORDS="true")
    staffeln("check")
    staffeln("catalog", "save", file)
    cloud.people.grant("backup", "shop", "admin")
    return {backup["id"] for backup in cloud.backups()}


def test_an_import_that_is_killed_is_gone_on_with_and_its_hosts_are_enabled_again(
    cloud: SimCloud, host: Host, staffeln: Staffeln, tmp_path: Path
) -> None:
    file = str(tmp_path / "catalog.jsonl.gz")
    ids = lost_in_two_zones(cloud, staffeln, file)
    for step in range(1, 200, 1 if IS_SOAK else 4):
        cloud.things.lose_backups()
        was_killed = killed_at(cloud, host, step, "catalog", "import", file)
        staffeln("check")  # as the next run does: nobody has to know of the import
        assert [one.is_enabled for one in cloud.settings.backup_hosts] == [True, True], step
        done = staffeln("catalog", "import", file, "-f", "json")
        assert done.exit_code == 0, step
        assert {backup["id"] for backup in cloud.backups()} == ids
        assert {row["availability_zone"] for row in cloud.backups()} == {"az0", "az1"}
        if not was_killed:
            return
    raise AssertionError("the import never ends")


def killed_at(cloud: SimCloud, host: Host, number: int, *arguments: str) -> bool:
    """Kill the command when Cinder has carried out its n-th request, before the answer."""
    running: list[Running] = []
    seen = count(1)

    def hook(_: Request) -> None:
        if next(seen) == number:
            running[0].kill()

    cloud.on_reply = hook
    running.append(host.start(*arguments))
    code = running[0].wait()
    cloud.on_reply = None
    return code == KILLED
