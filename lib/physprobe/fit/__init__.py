"""Fit: one method, applied to one embedding under one design."""
