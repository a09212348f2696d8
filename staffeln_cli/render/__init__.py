"""Output as tables, JSON, CSV and metrics, with a module for each."""
