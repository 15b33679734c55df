"""Simulate: one physical system per file."""
