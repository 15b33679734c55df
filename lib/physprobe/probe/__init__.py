"""Probe: one kind of probe per file."""
