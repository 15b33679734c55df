"""Report: one figure per file, and the page."""
