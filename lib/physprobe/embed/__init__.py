"""Embed: one encoder family per file."""
