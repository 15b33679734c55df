"""Config: the one validated model of config.yaml, and what the workflow takes from it."""
