"""Figures of spec and README, measured as ratios in one run: `make bench`."""
