"""physprobe: does a video world model know physics, where, and how sure are we?"""
