"""Perturbed images: moved as torch moves them, thinned by hand, as published in their ranges."""

import numpy as np
import torch

from physprobe.scenes import perturbed


def test_images_are_moved_as_torch_moves_them(rng):
    images = rng.random((5, 12, 12))
    matrix, shift = perturbed.drawn(5, 12, 1.0, rng)
    grid = torch.nn.functional.affine_grid(
        torch.from_numpy(np.concatenate([matrix, shift[..., None]], -1)), (5, 1, 12, 12),
        align_corners=True,
    )  # fmt: skip
    expected = torch.nn.functional.grid_sample(
        torch.from_numpy(images)[:, None], grid, align_corners=True
    )[:, 0]
    np.testing.assert_allclose(perturbed.moved(images, matrix, shift), expected, atol=1e-5)


def test_draws_keep_to_published_ranges_and_fade_with_strength(rng):
    matrix, shift = perturbed.drawn(4000, 28, 1.0, rng)
    scale = np.hypot(matrix[:, 0, 0], matrix[:, 1, 0])
    turn = np.rad2deg(np.arctan2(matrix[:, 1, 0], matrix[:, 0, 0]))
    sheared = np.rad2deg(np.arctan2(-matrix[:, 0, 1], matrix[:, 1, 1]))
    assert 1 / 1.1 <= scale.min() < 0.93 and 1.3 < scale.max() <= 1 / 0.75
    assert 29 < np.abs(turn).max() <= 30 and 14 < np.abs(sheared - turn).max() <= 15
    assert 2.0 < np.abs(shift).max() * 27 / 2 <= 2.1 + 1e-9, "about 2.1 px"
    matrix, shift = perturbed.drawn(3, 28, 0.0, rng)
    np.testing.assert_allclose(matrix, np.tile(np.eye(2), (3, 1, 1)))
    assert not shift.any()


def test_a_bar_is_thinned_to_a_line_and_thickened_by_a_pixel(rng):
    bar = np.zeros((1, 9, 13), bool)
    bar[0, 3:6, 2:11] = True
    line = perturbed.skeleton(bar)[0]
    assert line[4, 3:9].all() and line.sum() == 6, "one pixel wide, in its middle"
    assert not (line & ~bar[0]).any()
    np.testing.assert_array_equal(perturbed.skeleton(line[None])[0], line)
    dot = np.zeros((1, 5, 5), np.float32)
    dot[0, 2, 3] = 0.7
    thick = perturbed.thickened(dot)[0]
    assert (thick[1:4, 2:5] == np.float32(0.7)).all() and np.count_nonzero(thick) == 9


def test_shares_of_what_is_done_are_as_published(rng):
    blank = np.zeros((600, 20, 20), np.float32)
    found = perturbed.perturbed(blank, 0.0, rng)
    inverted = found.mean((1, 2)) > 0.5
    assert 0.42 < inverted.mean() < 0.58
    dark = found[~inverted]
    # of a black image: white specks, and noise that is cut off at 0; black specks don't show
    # half of either side's noise is cut off: that above white specks, and that below black
    assert abs((dark == 1).mean() - 0.025 / 2) < 0.003
    assert abs((dark == 0).mean() - 0.975 / 2) < 0.01
    middle, half_normal = dark[(dark > 0) & (dark < 1)], 0.3 * np.sqrt(2 / np.pi)
    assert abs(middle.mean() - (0.975 * half_normal + 0.025 * (1 - half_normal))) < 0.01
    again = perturbed.perturbed(blank[:2], 1.0, np.random.default_rng(1))
    np.testing.assert_array_equal(
        again, perturbed.perturbed(blank[:2], 1.0, np.random.default_rng(1))
    )
    assert again.dtype == np.float32
