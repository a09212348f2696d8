"""Carry out what retention decided: newest first in each chain, one wave after the other."""
