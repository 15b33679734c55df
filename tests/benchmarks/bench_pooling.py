"""Hook pooling against ``output_hidden_states`` pooled afterwards: time and peak memory."""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from physprobe.embed.networks import pool, weights

CLIPS, FRAMES, SIDE, GRID, ROUNDS = 2, 16, 256, (16, 16), 3
CONFIG = {"hidden_size": 384, "num_hidden_layers": 24, "num_attention_heads": 6, "crop_size": SIDE}


def model_and_frames(clips: int = CLIPS, **changed: int) -> tuple:
    """Small-width V-JEPA 2 with the published crop, patch and tubelet, and noise to look at."""
    config = {**CONFIG, "patch_size": 16, "tubelet_size": 2, **changed}
    model = weights.random(config, seed=0, init="fan_in")
    noise = torch.Generator().manual_seed(0)
    return model.eval(), torch.randn(clips, FRAMES, 3, SIDE, SIDE, generator=noise)


def by_hooks(model: object, frames: torch.Tensor) -> torch.Tensor:
    """Means of every layer, kept as each layer runs."""
    encoder = model.encoder
    modules = dict(enumerate([encoder.embeddings, *encoder.layer, encoder.layernorm]))
    with pool.hooked(modules, lambda h: h.unflatten(1, (-1, *GRID))) as (pooled, _):
        encoder(pixel_values_videos=frames)
    return torch.stack(list(pooled.values()), 1)


def by_hidden_states(model: object, frames: torch.Tensor) -> torch.Tensor:
    """Means of every layer, taken from all hidden states at the end."""
    found = model(frames, skip_predictor=True, output_hidden_states=True)
    states = [*found.hidden_states, found.last_hidden_state]
    return torch.stack([state.unflatten(1, (-1, *GRID)).mean((2, 3)) for state in states], 1)


WAYS: dict[str, Callable] = {"hooks": by_hooks, "hidden_states": by_hidden_states}


def peak(way: str) -> float:
    """Peak memory of one forward pass above that of the loaded model [MB] (Linux)."""
    model, frames = model_and_frames()
    WAYS[way](model, frames[:1])  # what is allocated once, at first use
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    WAYS[way](model, frames)
    return _status("VmHWM") - before


def _status(key: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key))


def fresh_peak(way: str) -> float:
    """Peak memory [MB], measured in a new process."""
    command = [sys.executable, str(Path(__file__)), "--peak", way]
    # the allocator then gives freed tensors back at once: what is resident is what is alive
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1048576"}
    found = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return float(found.stdout)


def agree(model: object, frames: torch.Tensor) -> str:
    """Gate: the same means of every layer."""
    found, expected = by_hooks(model, frames), by_hidden_states(model, frames)
    gap = float((found - expected).abs().max())
    if not gap <= 1e-6:
        raise SystemExit(f"gate: the two differ by {gap:.1e}, more than 1e-6")
    clips, layers = found.shape[:2]
    return f"gate: both agree to {gap:.1e} on {clips} clips of {FRAMES} frames, {layers} layers"


@torch.inference_mode()
def check() -> str:
    """Gate on two narrow blocks."""
    return agree(*model_and_frames(1, num_hidden_layers=2, hidden_size=48, num_attention_heads=2))


def main() -> None:
    """Check that both agree, then time and weigh them in turn."""
    model, frames = model_and_frames()
    seconds = {way: [] for way in WAYS}
    print(agree(model, frames))
    for _ in range(ROUNDS):
        for way, pooled in WAYS.items():
            start = time.perf_counter()
            pooled(model, frames)
            seconds[way].append(time.perf_counter() - start)
    median = {way: statistics.median(found) for way, found in seconds.items()}
    weight = {way: fresh_peak(way) for way in WAYS}
    for way in WAYS:
        print(f"{way:14} {median[way]:6.2f} s  {weight[way]:6.0f} MB above the model")
    slower, larger = (found["hidden_states"] / found["hooks"] for found in (median, weight))
    print(f"ratio, hidden_states over hooks: time {slower:.2f}, peak memory {larger:.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peak", choices=WAYS)
    chosen = parser.parse_args().peak
    with torch.inference_mode():
        if chosen:
            print(peak(chosen))
        else:
            main()
