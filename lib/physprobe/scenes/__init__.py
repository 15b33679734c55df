"""Scenes: what a frame shows, as numbers that simulators write and renderers read."""
