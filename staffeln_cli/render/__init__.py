"""Outcomes and states as tables, JSON, CSV, metrics: each form in a module of its own."""
