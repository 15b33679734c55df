"""Extraction - reading clips, resizing, pooling of every layer, writing - against the bare forward.

One thread. The bare forward runs the same network on as many windows of the same shape, held ready
in memory, and keeps nothing; whatever the pipeline adds shows in the ratio, loading the model
included. It should be 0.9 at least of a model of the real size, with two of its 24 layers. The
encoder that ships is so small that reading and resizing a clip of 256 x 256 px takes a third of the
time of its forward pass: a second core, where it is a whole one, hides that.
"""

import json
import logging
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from physprobe.config import kinds
from physprobe.embed import stage as embed
from physprobe.render import stage as render
from physprobe.simulate import stage as simulate
from physprobe.store import zarrs

LARGE = {"hidden_size": 1024, "num_attention_heads": 16, "crop_size": 256, "patch_size": 16}
CASES = {
    # name: encoder, clips, frames
    "the encoder that ships": ({"kind": "huggingface", "model": "physprobe/small"}, 200, 64),
    "two layers of V-JEPA 2 L": ({"kind": "untrained", **LARGE, "num_hidden_layers": 2}, 24, 16),
}
ROUNDS = 2


def filmed(folder: str, clips: int, frames: int) -> Path:
    """Clips of heat diffusion."""
    fields, videos = (Path(folder, f"{part}.zarr/zarr.json") for part in ("fields", "clips"))
    heat = json.dumps({"kind": "heat", "clips": clips, "frames": frames})
    simulate.run(out=fields, spec=heat)
    render.run(simulation=fields, out=videos, spec='{"kind": "fields"}')
    return videos


@torch.inference_mode()
def check() -> str:
    """Gate: what is written is the mean of what the bare network makes of each clip by itself."""
    entry, clips, frames = {"kind": "huggingface", "model": "physprobe/small"}, 3, 16
    with tempfile.TemporaryDirectory() as folder:
        videos, out = filmed(folder, clips, frames), Path(folder, "embeddings/0.zarr/zarr.json")
        embed.run(clips=videos, out=out, spec=json.dumps(entry))
        found = zarrs.read(out)["pooled"].sel(layer="final").values.astype(float)
        video = zarrs.read(videos)["video"].values
    family = kinds.load("embed", entry["kind"])
    spec = family.Spec.model_validate(entry)
    encoder = family.load(spec, frames=frames, height=256, width=256, threads=1)
    worst = 0.0
    for clip, pooled in zip(video, found, strict=True):
        shown = encoder.preprocessing(torch.from_numpy(clip))[None]
        tokens = encoder.network(pixel_values_videos=shown).last_hidden_state[0]
        expected = tokens.unflatten(0, (len(pooled), -1)).mean(1).numpy()
        worst = max(worst, float(np.abs(pooled - expected).max() / np.abs(expected).max()))
    if not worst <= 1e-3:
        raise SystemExit(f"gate: embeddings differ by {worst:.1e} of the largest value")
    return f"gate: embeddings of {clips} clips are the bare network's to {worst:.1e}, in float16"


def main() -> None:
    """Time both in turn; the ratio of the real size last."""
    print(check())
    ratios = {}
    for name, (entry, clips, frames) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            videos = filmed(folder, clips, frames)
            family = kinds.load("embed", entry["kind"])
            spec = family.Spec.model_validate(entry)
            encoder = family.load(spec, frames=frames, height=128, width=128, threads=1)
            side, (windows,) = encoder.preprocessing.crop, encoder.windows
            shape = (spec.batch * len(windows), windows.shape[1], 3, side, side)
            ready = torch.randn(shape, generator=torch.Generator().manual_seed(0))
            taken = {"extraction": [], "bare forward": []}
            for turn in range(ROUNDS):
                out = Path(folder, f"embeddings/{turn}.zarr/zarr.json")
                start = time.perf_counter()
                embed.run(clips=videos, out=out, spec=json.dumps(entry))
                taken["extraction"].append(time.perf_counter() - start)
                start = time.perf_counter()
                for _ in range(clips // spec.batch):
                    encoder.network(pixel_values_videos=ready)
                taken["bare forward"].append(time.perf_counter() - start)
        rates = {way: clips / min(seconds) for way, seconds in taken.items()}
        ratios[name] = rates["extraction"] / rates["bare forward"]
        print(name, *(f"{way} {rate:.1f} clips/s" for way, rate in rates.items()), sep=", ")
        print(f"{name}: {ratios[name]:.2f} of the bare forward")
    print(f"ratio: extraction / bare forward = {ratios[name]:.2f} ({name}; target 0.9)")


if __name__ == "__main__":
    logging.disable()
    with threadpool_limits(1), torch.inference_mode():
        main()
