"""What `staffeln status` shows, from the database alone."""
