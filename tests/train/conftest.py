"""A recipe small enough to be trained in seconds."""

import pytest

from physprobe.train import future_frames

HEAT = {
    "simulate": {"kind": "heat", "size": 64, "frames": 32, "sigma": (2.0, 6.0), "alpha": (0.1, 1)},
    "render": {"kind": "fields"},
}
TINY = {
    "systems": {"heat": HEAT},
    "validation": {"heat": ("log_alpha",)},
    "validation_clips": 20,
    "hidden_size": 24,
    "num_hidden_layers": 1,
    "crop": 16,
    "crop_size": 16,
    "frames": 10,
    "batch": 6,
    "steps": 6,
    "epochs": 2,
}


@pytest.fixture
def tiny() -> future_frames.Spec:
    """Two epochs of three steps."""
    return future_frames.Spec(**TINY)
