"""Local: where in the image an encoder's tokens hold a label."""
