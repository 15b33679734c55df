"""Koopman: one model of the embedding dynamics per file."""
