"""Statistics: scores, splits, seeds, intervals, and the solvers."""
