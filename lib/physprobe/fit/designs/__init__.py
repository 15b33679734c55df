"""Designs: which clips are fitted, and which are scored."""
