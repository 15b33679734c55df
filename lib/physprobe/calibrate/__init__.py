"""Calibrate: how often tests reject where there is nothing, and intervals hold the truth."""
