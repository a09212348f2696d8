"""The policy endpoint: a WSGI application that tells Cinder whether a backup may be deleted."""

from staffeln_cli.policy_endpoint.app import Application
from staffeln_cli.policy_endpoint.request import BODY_LIMIT

__all__ = ["BODY_LIMIT", "Application"]
