"""Films that people bring: what a folder holds, read once, exactly, or refused by name."""
