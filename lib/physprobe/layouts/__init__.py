"""Layouts: published forms of a study, one per file."""
