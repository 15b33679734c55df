"""Store: what is written and read - Zarr stores, results, where both come from."""
