"""Discover: read the governing law off a trajectory, without labels or parameters."""
