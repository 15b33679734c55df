"""What the stages agree on."""
