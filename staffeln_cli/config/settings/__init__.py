"""Every key of the configuration: its type, its default, and one sentence for the operator."""

from dataclasses import dataclass, field

from staffeln_cli.config.settings.catalog import CatalogSettings
from staffeln_cli.config.settings.protection import (
    BackupSettings,
    RetentionSettings,
    SelectSettings,
)
from staffeln_cli.config.settings.reporting import MailSettings, NotifySettings, ReportSettings
from staffeln_cli.config.settings.services import CloudSettings, DatabaseSettings, LockSettings
from staffeln_cli.config.settings.serving import LogSettings, PolicySettings
from staffeln_cli.config.settings.verification import VerifySettings

__all__ = [
    "SECRETS",
    "BackupSettings",
    "CatalogSettings",
    "CloudSettings",
    "DatabaseSettings",
    "LockSettings",
    "LogSettings",
    "MailSettings",
    "NotifySettings",
    "PolicySettings",
    "ReportSettings",
    "RetentionSettings",
    "SelectSettings",
    "Settings",
    "VerifySettings",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All sections; every key has a default, so that no file is needed."""

    cloud: CloudSettings = field(default_factory=CloudSettings)
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    lock: LockSettings = field(default_factory=LockSettings)
    select: SelectSettings = field(default_factory=SelectSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    verify: VerifySettings = field(default_factory=VerifySettings)
    catalog: CatalogSettings = field(default_factory=CatalogSettings)
    report: ReportSettings = field(default_factory=ReportSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    log: LogSettings = field(default_factory=LogSettings)

    def secret_urls(self) -> tuple[str, ...]:
        """The URLs whose secrets a driver or a library might show."""
        return (self.database.url, *((self.lock.url,) if self.lock.url else ()))


SECRETS = frozenset({"database.url", "lock.url", "mail.password", "notify.urls"})
"""Keys whose value may hold a password."""
