"""What the help of each command has beside its text: examples, and its exit codes."""

from collections.abc import Mapping
from typing import NamedTuple

import click

CODES: Mapping[int, str] = {
    0: "done, or nothing to do",
    2: "wrong usage, or no such item",
    3: "some items failed, each named, or a confirmation is needed",
    69: "a service cannot be reached; nothing is lost",
    78: "the configuration or the schema is wrong",
}
_PASS = (0, 3, 69, 78)
_ITEMS = (0, 2, 3, 69, 78)
_LOOK = (0, 69, 78)
_ITEM = (0, 2, 69, 78)
_FILE = (0, 2, 78)


class Examples(NamedTuple):
    """Command lines, and the codes with which the command ends beside 1, which is a bug."""

    lines: tuple[str, ...]
    codes: tuple[int, ...]


EXAMPLES: Mapping[str, Examples] = {
    "staffeln run": Examples(
        ("staffeln run", "staffeln run --dry-run", "staffeln run -f json"), _PASS
    ),
    "staffeln collect": Examples(("staffeln collect", "staffeln collect --dry-run"), _PASS),
    "staffeln backup": Examples(
        ("staffeln backup", "staffeln backup --volume orders --full --wait"), _ITEMS
    ),
    "staffeln check": Examples(("staffeln check", "staffeln check --dry-run"), _PASS),
    "staffeln retain": Examples(("staffeln retain --dry-run", "staffeln retain --confirm"), _PASS),
    "staffeln report": Examples(
        (
            "staffeln report --dry-run",
            "staffeln report --project shop --preview shop.html",
            "staffeln report --evidence --since 2026-07-01 -f csv",
        ),
        _ITEMS,
    ),
    "staffeln restore": Examples(
        (
            "staffeln restore --volume orders --wait",
            "staffeln restore --volume orders --at 2026-11-22T22:00",
            "staffeln restore --server shop-db --recreate",
            "staffeln restore --project shop --dry-run",
            "staffeln restore staffeln-20261122T220000Z-1a2b3c4d",
        ),
        _ITEMS,
    ),
    "staffeln verify": Examples(
        ("staffeln verify", "staffeln verify --dry-run", "staffeln verify --volume orders"), _ITEMS
    ),
    "staffeln catalog save": Examples(
        ("staffeln catalog save /mnt/elsewhere", "staffeln catalog save today.jsonl.gz"), _LOOK
    ),
    "staffeln catalog check": Examples(
        ("staffeln catalog check today.jsonl.gz", "staffeln catalog check FILE -f json"),
        (0, 3, 78),
    ),
    "staffeln catalog import": Examples(
        (
            "staffeln catalog import FILE --dry-run",
            "staffeln catalog import FILE --project shop",
            "staffeln catalog import FILE --state",
        ),
        _PASS,
    ),
    "staffeln catalog rebuild": Examples(
        ("staffeln catalog rebuild --store /var/lib/cinder/backup found.jsonl.gz",), (0, 3, 69, 78)
    ),
    "staffeln status": Examples(
        ("staffeln status", "staffeln status --nagios --critical 5", "staffeln status -f json"),
        _LOOK,
    ),
    "staffeln status volumes": Examples(
        ("staffeln status volumes --overdue", "staffeln status volumes --server web-1 -f csv"),
        _LOOK,
    ),
    "staffeln status backups": Examples(
        ("staffeln status backups --state failed --sort-column started_at",), _LOOK
    ),
    "staffeln status projects": Examples(("staffeln status projects -f json",), _LOOK),
    "staffeln status runs": Examples(("staffeln status runs --limit 20",), _LOOK),
    "staffeln status calendar": Examples(("staffeln status calendar --days 30",), _LOOK),
    "staffeln status usage": Examples(
        ("staffeln status usage --since 2026-10-01 --until 2026-11-01 -f csv",), _LOOK
    ),
    "staffeln explain": Examples(("staffeln explain orders",), _ITEM),
    "staffeln config init": Examples(
        ("staffeln config init", "staffeln config init --output /etc/staffeln/staffeln.toml"),
        _FILE,
    ),
    "staffeln config check": Examples(("staffeln config check -f json",), (0, 78)),
    "staffeln config import": Examples(
        ("staffeln config import /etc/staffeln/staffeln.conf > staffeln.toml",), _FILE
    ),
    "staffeln config metadefs": Examples(
        (
            "staffeln config metadefs > staffeln-metadefs.json",
            "staffeln config metadefs --choice 2w --choice 3mon",
        ),
        _FILE,
    ),
    "staffeln doctor": Examples(("staffeln doctor", "staffeln doctor --orphans"), _LOOK),
    "staffeln keep": Examples(
        ('staffeln keep staffeln-20261122T220000Z-1a2b3c4d --note "before the upgrade"',), _ITEM
    ),
    "staffeln release": Examples(("staffeln release staffeln-20261122T220000Z-1a2b3c4d",), _ITEM),
    "staffeln pause": Examples(
        (
            'staffeln pause --server web-1 --reason "moves to az2" --until 3d',
            'staffeln pause --all --reason "upgrade of Ceph"',
        ),
        _ITEM,
    ),
    "staffeln resume": Examples(
        ("staffeln resume --server web-1", "staffeln resume --all"), _ITEM
    ),
    "staffeln db upgrade": Examples(("staffeln db upgrade",), _LOOK),
    "staffeln db current": Examples(("staffeln db current",), _LOOK),
    "staffeln db rebind": Examples(("staffeln db rebind", "staffeln db rebind --confirm"), _PASS),
    "staffeln db import-staffeln": Examples(
        (
            "staffeln db import-staffeln sqlite:////var/lib/staffeln/staffeln.sqlite --dry-run",
            "staffeln db import-staffeln - < url-of-the-old-database",
        ),
        _LOOK,
    ),
    "staffeln serve-policy": Examples(("staffeln serve-policy --host 192.0.2.10",), _LOOK),
    "staffeln demo": Examples(("staffeln demo",), (0,)),
}


def describe_commands(command: click.Command, path: str = "staffeln") -> None:
    """End the help of each command, here and below, with its examples and exit codes.

    Lists of commands show its whole first sentence: click would cut it to one line.
    """
    command.short_help = (command.help or "").partition("\n\n")[0]
    if path in EXAMPLES:
        command.epilog = _epilog(EXAMPLES[path])
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            describe_commands(below, f"{path} {name}")


def _epilog(examples: Examples) -> str:
    lines = "\n".join(f"  {line}" for line in examples.lines)
    codes = "\n".join(f"  {code:<4}{CODES[code]}" for code in examples.codes)
    return f"\b\nExamples:\n{lines}\n\n\b\nExit codes:\n{codes}"
