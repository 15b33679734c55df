"""Survey: verdicts on many systems from many sources, beside what would have been right."""
