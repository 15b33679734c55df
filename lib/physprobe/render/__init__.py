"""Render: one way of turning a simulated field into video per file."""
