"""Resizing keeps what it should: constants, linear ramps, positions."""

import numpy as np
import pytest
import torch
from PIL import Image

from physprobe.embed.networks import resize
from physprobe.embed.networks.resize import Preprocessing

PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


def test_linear_ramp_stays_linear():
    ramp = np.broadcast_to(np.arange(256, dtype="uint8")[:, None], (1, 256, 256, 1)).repeat(3, -1)
    found = Preprocessing(crop=64, **PLAIN)(torch.from_numpy(ramp.copy()))[0, 0, 5] * 255
    expected = (np.arange(64) + 0.5) * 4 - 0.5  # value at the centre of each new pixel
    np.testing.assert_allclose(found[2:-2], expected[2:-2], atol=1e-3)


def test_frames_of_the_right_size_pass_unchanged_but_for_normalisation():
    frames = torch.from_numpy(np.arange(20 * 8 * 8 * 3).reshape(20, 8, 8, 3).astype("uint8"))
    found = Preprocessing(crop=8)(frames)
    mean, std = (np.reshape(v, (3, 1, 1)) for v in (Preprocessing.mean, Preprocessing.std))
    expected = (frames.numpy().transpose(0, 3, 1, 2) / 255 - mean) / std
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(("resample", "code"), [("bilinear", 2), ("bicubic", 3)])
@pytest.mark.parametrize("side", [24, 96])
def test_resampling_is_that_of_pillow(resample: str, code: int, side: int):
    frame = np.random.default_rng(0).integers(64, 192, (60, 60, 3), dtype="uint8")
    found = Preprocessing(crop=side, resample=resample, **PLAIN)(torch.from_numpy(frame)[None])
    expected = np.asarray(Image.fromarray(frame).resize((side, side), resample=code))
    # Pillow rounds after each of the two directions
    np.testing.assert_allclose(255 * found[0].permute(1, 2, 0), expected, atol=1.6)
    edge = torch.zeros(1, 60, 60, 3, dtype=torch.uint8)
    edge[:, 30:] = 255
    found = Preprocessing(crop=side, resample=resample, **PLAIN)(edge)
    assert (found.min(), found.max()) == (0, 1)  # no overshoot


@pytest.mark.parametrize("resample", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("old", "new"), [((60, 80), (24, 24)), ((24, 24), (60, 80))])
def test_a_processor_and_a_gpu_resize_alike(resample: str, old: tuple, new: tuple):
    frames = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (2, *old, 3), "uint8"))
    found = torch.stack([resize._sparse(frame, new, resample) for frame in frames])
    expected = resize._dense(frames.permute(0, 3, 1, 2).float(), new, resample)
    torch.testing.assert_close(found, expected, rtol=0, atol=255 * 5e-7)


def test_crop_is_central_and_keeps_the_aspect():
    preprocessing = Preprocessing(crop=256, short=292, **PLAIN)
    assert preprocessing.size(256, 256) == (292, 292)
    assert preprocessing.size(128, 256) == (292, 584)
    wide = np.zeros((1, 128, 256, 3), "uint8")
    wide[:, 64, 128] = 255
    found = preprocessing(torch.from_numpy(wide))[0, 0].numpy()
    assert found.shape == (256, 256)
    y, x = (np.average(np.arange(256), weights=found.sum(axis)) for axis in (1, 0))
    np.testing.assert_allclose((y, x), 127.5 + 0.5 * 292 / 128, atol=0.1)
