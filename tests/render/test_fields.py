"""Fields: the very bytes of matplotlib, on a fixed range."""

import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import Normalize
from pydantic import ValidationError

from physprobe.render import fields

SMOOTH = np.linspace(-0.3, 1.3, 3 * 32 * 50, dtype=np.float32).reshape(3, 32, 50)
EDGES = (np.arange(-2, 260, dtype=np.float32) / 256).reshape(2, 131, 1)
BESIDE = np.stack([np.nextafter(EDGES[0], np.float32(way)) for way in (-9, 9)])


def by_matplotlib(spec, field):
    colours = matplotlib.colormaps[spec.colormap](Normalize(spec.low, spec.high)(field), bytes=True)
    return colours[..., :3]


def same_as_matplotlib(spec, field):
    found = fields.frames(spec, field)
    assert found.shape == (*field.shape, 3) and found.dtype == np.uint8
    assert found.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(found, by_matplotlib(spec, field))


@pytest.mark.parametrize("colormap", ["inferno", "viridis", "gray", "RdBu_r", "tab10", "Pastel1"])
@pytest.mark.parametrize("ends", [(0.0, 1.0), (-0.21, 0.83), (0.1, 0.7)])
def test_frames_have_the_bytes_of_matplotlib(colormap, ends):
    same_as_matplotlib(fields.Spec(colormap=colormap, low=ends[0], high=ends[1]), SMOOTH)


@pytest.mark.parametrize("field", [EDGES, BESIDE], ids=["edges", "beside"])
@pytest.mark.parametrize("ends", [(0.0, 1.0), (-0.25, 0.75), (-1.0, 3.0)])
def test_they_have_them_at_the_very_edges_of_the_steps(field, ends):
    """An odd number of pixels, too: the last one has no partner."""
    assert field[0].size % 2 == 1
    same_as_matplotlib(fields.Spec(low=ends[0], high=ends[1]), field)


def test_a_colormap_of_more_colours_is_read_in_256_steps():
    assert matplotlib.colormaps["twilight"].N > 256
    spec = fields.Spec(colormap="twilight")
    apart = fields.frames(spec, SMOOTH).astype(int) - by_matplotlib(spec, SMOOTH)
    assert np.abs(apart).max() <= 4


def test_the_range_is_fixed_not_that_of_the_clip():
    dim = np.full((1, 4, 4), 0.25, np.float32)
    bright = np.concatenate([dim, dim + 0.5])
    np.testing.assert_array_equal(
        fields.frames(fields.Spec(), dim)[0], fields.frames(fields.Spec(), bright)[0]
    )
    gray = fields.frames(fields.Spec(colormap="gray"), bright)
    np.testing.assert_array_equal(gray[:, 0, 0], [[64] * 3, [192] * 3])


def test_values_outside_the_range_have_the_end_colours():
    largest = np.finfo(np.float32).max
    field = np.array([[[-largest, -1e-30, 0.0, 1.0, 2.0, largest]]], np.float32)
    found = fields.frames(fields.Spec(), field)[0, 0]
    ends = matplotlib.colormaps["inferno"]([0, 255], bytes=True)[:, :3]
    np.testing.assert_array_equal(found, ends[[0, 0, 0, 1, 1, 1]])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_frame_that_is_not_finite_is_named(value):
    field = SMOOTH.copy()
    field[2, 5, 7] = value
    with pytest.raises(ValueError, match="frame 2 is not finite"):
        fields.frames(fields.Spec(), field)


def test_the_field_is_left_as_it_was():
    field = SMOOTH.copy()
    fields.frames(fields.Spec(), field)
    np.testing.assert_array_equal(field, SMOOTH)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"colormap": "infreno"}, "Did you mean 'inferno'"),
        ({"colormap": "Viridis"}, "Did you mean 'viridis'"),
        ({"low": 1.0}, r"low \(1\) has to be below high \(1\)"),
        ({"high": -1.0}, "has to be below"),
        ({"high": float("inf")}, "finite"),
        ({"colourmap": "inferno"}, "Extra inputs"),
    ],
)
def test_impossible_values_are_refused(entry, expected):
    with pytest.raises(ValidationError, match=expected):
        fields.Spec(**entry)


def test_the_everyday_colormaps_exist_and_need_no_matplotlib_to_parse():
    assert set(matplotlib.colormaps) >= fields.EVERYDAY
    code = (
        "import sys; from physprobe.render import fields; fields.Spec(colormap='inferno');"
        " sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
