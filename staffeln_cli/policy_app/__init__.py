"""The policy endpoint: a WSGI application that tells Cinder whether a backup may be deleted."""

from staffeln_cli.policy_app.app import BODY_LIMIT, Application, create_app
from staffeln_cli.policy_app.configured import application

__all__ = ["BODY_LIMIT", "Application", "application", "create_app"]
