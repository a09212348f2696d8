"""How to log in: a clouds.yaml for everybody who can."""

from __future__ import annotations

from staffeln_cli.demo.simcloud.people import OPERATOR
from staffeln_cli.demo.simcloud.rows import User
from staffeln_cli.demo.simcloud.world import World

ENTRY = """  {name}:
    auth_type: password
    auth:
      auth_url: {auth_url}
      username: {user}
      password: {password}
      project_name: {project}
      user_domain_id: default
      project_domain_id: default
    region_name: RegionOne
    interface: public
    identity_api_version: 3
"""


def clouds_yaml(world: World) -> str:
    """Write a clouds.yaml: `sim` for the operator, every other user under their own name."""
    entries = [_entry(world, user) for user in world.identity.users.values()]
    return "clouds:\n" + "".join(entries)


def _entry(world: World, user: User) -> str:
    """Log a user in to the first of their projects; one without any cannot log in."""
    for project in world.identity.projects.values():
        if world.roles(user.id, project.id):
            return ENTRY.format(
                name="sim" if user.name == OPERATOR else user.name,
                auth_url=f"{world.url}/identity/v3",
                user=user.name,
                password=user.password,
                project=project.name,
            )
    return ""
