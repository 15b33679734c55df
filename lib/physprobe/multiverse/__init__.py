"""Multiverse: which share of all defensible choices of a probe supports a claim."""
