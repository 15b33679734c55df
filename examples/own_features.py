"""Features made elsewhere, in whatever environment a model needs: clips in, features and ids out.

python examples/own_features.py results/small_heat/clips.zarr features.npz

`theirs: {kind: precomputed, system: small_heat, file: features.npz, tubelet: 2}`
is an encoder then.
All it takes is numpy, and xarray with zarr.
"""

import sys

import numpy as np
import xarray as xr


def features(clip: np.ndarray) -> np.ndarray:
    """Stand-in for a model: (time, y, x, rgb) uint8 of a clip to (layer, time, feature)."""
    tubelets = clip.reshape(-1, 2, *clip.shape[1:]).mean(1) / 255
    rows, columns = tubelets.mean((2, 3)), tubelets.mean((1, 3))
    return np.stack([rows, columns])


def main(clips: str, out: str) -> None:
    """Write the features of every clip, with its id."""
    source = xr.open_zarr(clips)
    found = np.stack([features(clip.values) for clip in source.video])
    ids, digest = source["clip"].values, source.attrs["digest"]
    np.savez(out, features=found.astype("float32"), clip=ids, clips_digest=digest)


if __name__ == "__main__":
    main(*sys.argv[1:])
