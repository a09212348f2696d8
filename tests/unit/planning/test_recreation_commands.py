"""The commands that bring a server back are ones that a shell and the openstack client take."""

import shlex

from staffeln_cli.model import BackupId, NewVolume
from staffeln_cli.model.restorations import NewPort, NewServer
from staffeln_cli.planning.recreation_commands import ServerToMake, VolumeToMake, commands

NEW = NewVolume(
    name="root again", size_gib=3, volume_type="fast", availability_zone="az1", metadata={"a": "b"}
)
ROOT = VolumeToMake(BackupId("b1"), NEW, is_root=True, deleted_with_server=True)
DATA = VolumeToMake(BackupId("b2"), NewVolume(name="data", size_gib=1), False, False)


def test_a_script_makes_volumes_ports_and_the_server() -> None:
    server = NewServer(
        name="web server", flavor="tiny", zone="nova", tags=("t",), user_data="eA=="
    )
    port = NewPort("net", ("10.0.0.5",), "aa", ("web",))
    lines = list(commands(ServerToMake("shop", server, [ROOT, DATA], [port], ["no key"])))
    assert lines[:2] == ["# server web server, with a role in project shop:", "# differs: no key"]
    volume = shlex.split(lines[2].removeprefix("volume0=$(").removesuffix(")"))
    assert volume[-1] == "root again"
    assert volume[volume.index("--backup") + 1] == "b1"
    assert volume[volume.index("--property") + 1] == "a=b"
    assert 'openstack volume set --bootable "$volume0"' in lines
    made = next(line for line in lines if line.startswith("port0="))
    assert "--fixed-ip ip-address=10.0.0.5 --mac-address aa --security-group web" in made
    words = shlex.split(lines[-1])
    assert words[-2:] == ["--wait", "web server"]
    assert words[words.index("--port") + 1] == "$port0"
    assert [one.rpartition("=")[2] for one in words if one.startswith("uuid=")] == [
        "true",
        "false",
    ]


def test_a_server_without_network_and_volumes_says_so() -> None:
    server = NewServer(name="web", flavor="tiny", image_id="i1", metadata={"role": "web"})
    (_, boot) = commands(ServerToMake("shop", server, [], [], []))
    assert boot.endswith("--flavor tiny --image i1 --property role=web --nic none --wait web")


def test_a_port_may_have_neither_mac_nor_group() -> None:
    server = NewServer(name="web", flavor="tiny")
    lines = list(commands(ServerToMake("p", server, [DATA], [NewPort("net", (), "", ())], [])))
    assert "port0=$(openstack port create --network net -f value -c id web-0)" in lines
    assert not any("--bootable" in line for line in lines)
