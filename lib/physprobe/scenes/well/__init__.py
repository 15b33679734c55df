"""The Well: its HDF5 files, read by names, checked, and put on grids that can be trusted."""
