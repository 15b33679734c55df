"""Train: one self-supervised recipe per file."""
