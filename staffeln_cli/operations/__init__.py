"""Steps that several commands take: start, follow or delete one backup."""
