"""Figures: one per file, from results to a picture with the numbers that it shows."""
