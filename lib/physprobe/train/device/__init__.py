"""What a GPU is worth: its numbers against float32, its speed against bounds, a recipe on it."""
