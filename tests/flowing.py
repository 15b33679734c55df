"""A store of named fields by hand: two tracers that are carried along and spread, exactly."""

from pathlib import Path

import numpy as np

from physprobe.store import writing, zarrs

NAMES = ("tracer", "dye")
LEVELS, SCALES = np.array([3.0, -1.0]), np.array([0.1, 20.0])
"""What the fields are moved and stretched by, so that one that isn't normed stands out."""


def solved(rng: np.random.Generator, diffusivity: float, size: int, frames: int) -> np.ndarray:
    """Fields (time, y, x, channel) of one trajectory."""
    number = 2 * np.pi * np.fft.fftfreq(size, 1 / size)
    ky, kx = np.meshgrid(number, number, indexing="ij")
    times = 0.05 * np.arange(frames)[:, None, None]
    along, across = rng.normal(0, 0.5, 2)
    rate = diffusivity * (ky**2 + kx**2) + 1j * (ky * along + kx * across)
    first = np.fft.fft2(rng.normal(size=(2, size, size)))
    found = np.fft.ifft2(first[:, None] * np.exp(-rate * times)).real
    return np.moveaxis(found, 0, -1) * SCALES + LEVELS


def stores(
    folder: Path,
    *,
    trajectories: int = 12,
    windows: int = 2,
    size: int = 16,
    frames: int = 10,
    split: tuple[str, ...] | None = None,
    kind: str = "advection_diffusion",
) -> tuple[Path, Path]:
    """Write clips and their simulation; windows of a trajectory are a group."""
    rng = np.random.default_rng(0)
    diffusivity = np.exp(rng.uniform(np.log(1e-4), np.log(1e-2), trajectories))
    fields, begins = [], []
    for one in diffusivity:
        whole = solved(rng, one, size, frames + 5)
        starts = np.sort(rng.integers(0, 6, windows))
        fields += [whole[start : start + frames] for start in starts]
        begins += list(0.05 * starts)
    clips = np.stack(fields).astype("float32")
    group = np.repeat(np.arange(trajectories), windows)
    labels = {"D": diffusivity[group], "t0": np.array(begins), "group": group}
    if split:
        labels["split"] = np.array(split)[group]
    variable = writing.Variable(
        ("clip", "time", "y", "x", "channel"), clips.shape, "float32", compress=True
    )
    axes = {
        "clip": (("clip",), np.arange(len(clips)), {}),
        "time": (("time",), 0.05 * np.arange(frames), {"units": "1"}),
        "channel": (("channel",), np.array(NAMES), {}),
    }
    about = {
        "schema": "physprobe/simulation/1",
        "field": "fluid",
        "periodic": [True, True],
        "spec": {"kind": kind},
    }
    known = {name: (("clip",), values, {}) for name, values in labels.items()}
    paths = folder / "clips.zarr", folder / "simulation.zarr"
    with writing.create(
        paths[1], variables={"fluid": variable}, coords=axes | known, attrs=about, fingerprint={},
        block=windows,
    ) as store:  # fmt: skip
        store.fill(lambda block: {"fluid": clips[block]})
    shows = {"schema": "physprobe/clips/1", "simulation": zarrs.digest(paths[1])}
    with writing.create(
        paths[0], variables={"channels": variable}, coords=axes, attrs=shows, fingerprint={}
    ) as store:
        store.fill(lambda block: {"channels": clips[block]})
    return paths
