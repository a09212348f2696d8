"""The policy endpoint: a WSGI application that tells Cinder whether a backup may be deleted."""

from staffeln_cli.policy_endpoint.app import BODY_LIMIT, Application, create_app

__all__ = ["BODY_LIMIT", "Application", "create_app"]
