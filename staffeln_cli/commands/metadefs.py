"""Describe the metadata keys of servers and volumes for dashboards: a namespace for Glance."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from staffeln_cli.config import Settings
from staffeln_cli.config.example import plain
from staffeln_cli.model.text import escaped
from staffeln_cli.planning.retention.policy import Policy, named

NAMESPACE = "OS::Staffeln::Backup"
_DURATIONS = r"^([0-9]+(y|mon|w|d|h|min|s))+$"


def text(settings: Settings, choices: Sequence[str] = ()) -> str:
    """The namespace in JSON, as Glance imports it; ValueError for a choice that is no retention.

    `choices` are durations that are offered beside the configured policies. A dashboard shows
    either a list of choices or a field for any text: there is a list if anything is to be chosen.
    """
    for choice in choices:
        named(choice, settings.retention.policies)
    return escaped(json.dumps(_namespace(settings, choices), indent=2, ensure_ascii=False))


def _namespace(settings: Settings, choices: Sequence[str]) -> dict[str, Any]:
    return {
        "namespace": NAMESPACE,
        "display_name": "Backups by Staffeln",
        "description": "Whether volumes are backed up, and for how long backups are kept.",
        "visibility": "public",
        "protected": False,
        "resource_type_associations": [
            {"name": "OS::Nova::Server", "properties_target": "metadata"},
            {"name": "OS::Cinder::Volume", "properties_target": "user"},
        ],
        "properties": dict(_properties(settings, choices)),
    }


def _properties(settings: Settings, choices: Sequence[str]) -> Iterator[tuple[str, Any]]:
    select, retention = settings.select, settings.retention
    if select.metadata_key:  # without one every server is backed up
        yield (
            select.metadata_key,
            {
                "title": "Back up",
                "description": (
                    "Of a server: whether its volumes are backed up. Of a volume: whether it is"
                    " backed up, whatever its server says, and also without a server."
                ),
                "type": "string",
                "enum": ["true", "false"],
                "default": "true",
            },
        )
    yield (
        select.skip_volume_key,
        {
            "title": "Leave the volume out",
            "description": "Of a volume only: true leaves it out of the backups of its server.",
            "type": "string",
            "enum": ["true", "false"],
            "default": "true",
        },
    )
    yield (
        retention.metadata_key,
        {
            "title": "Keep backups for",
            "description": " ".join(_of_retention(settings)),
            "type": "string",
            **_offered(settings, choices),
        },
    )


def _offered(settings: Settings, choices: Sequence[str]) -> dict[str, Any]:
    offered = list(dict.fromkeys([*sorted(settings.retention.policies), *choices]))
    if offered:
        return {"enum": offered, "default": offered[0]}
    return {"pattern": _DURATIONS, "default": str(settings.retention.time)}


def _of_retention(settings: Settings) -> Iterator[str]:
    yield (
        "A length of time such as 2w, 1mon or 1y6mon, or the name of a policy."
        f" Without it: {settings.retention.time}."
    )
    if settings.retention.minimum is not None:
        yield f"Never less than {settings.retention.minimum}."
    for name, policy in sorted(settings.retention.policies.items()):
        yield f"{name}: {_described(policy)}."


def _described(policy: Policy) -> str:
    """The rules of a policy in words."""
    rules = plain(policy)
    if not isinstance(rules, dict):
        raise TypeError(f"{policy} is no policy")
    age = rules.pop("time", None)
    parts = [f"the last {rules.pop('last')}"] if "last" in rules else []
    parts += [f"{number} {period}" for period, number in rules.items()]
    if age is not None:
        parts.append(f"everything for {age}")
    return ", ".join(parts)
