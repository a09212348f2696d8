"""The name of the policy endpoint until 3.0, for WSGI servers that are configured with it.

It goes with the release after next; use `staffeln_cli.wsgi:application`.
"""

from staffeln_cli.wsgi import application

__all__ = ["application"]
