"""Which volumes are protected, and when and how each is backed up next."""
