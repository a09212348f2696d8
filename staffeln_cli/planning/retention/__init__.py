"""Which backups are kept, for how long and why."""
