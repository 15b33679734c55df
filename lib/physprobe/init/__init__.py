"""Init: a folder of one's own, in which the workflow runs."""
