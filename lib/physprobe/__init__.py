"""physprobe asks whether a video world model knows physics, where, and how sure we are."""
