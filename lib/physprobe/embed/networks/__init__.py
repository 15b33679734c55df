"""Networks: checkpoints read, weights drawn, clips prepared, and forward passes pooled."""
