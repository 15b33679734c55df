"""Falsify: controls, claims, and pixels against embedding."""
