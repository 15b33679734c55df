"""Methods: what is fitted to an embedding - probes, models of the dynamics."""
