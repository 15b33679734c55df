"""A frozen V-JEPA 2's forward pass on a CPU against that of transformers with sdpa, all cores."""

import copy
import statistics
import time

import torch

from physprobe.embed.networks import cpu, weights

SMALL = {"hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 2, "crop_size": 64}
LARGE = {"hidden_size": 1024, "num_hidden_layers": 2, "num_attention_heads": 16, "crop_size": 256}
CASES = {
    # name: architecture, clips, frames, calls of each
    "default, whole clips": ({**SMALL, "patch_size": 8}, 2, 64, 7),
    "default, causal windows": ({**SMALL, "patch_size": 8}, 16, 8, 7),
    "two layers of V-JEPA 2 L": ({**LARGE, "patch_size": 16}, 1, 16, 3),
}
CLOSE = 1e-6  # of the largest value


def ready(config: dict, clips: int, frames: int) -> tuple[dict[str, torch.nn.Module], torch.Tensor]:
    """Both ways of running one encoder, and noise to look at."""
    model = weights.random({**config, "tubelet_size": 2}, seed=0, init="fan_in").eval()
    ways = {"ours": copy.deepcopy(model.encoder), "transformers": model.encoder}
    cpu.accelerate(ways["ours"])
    noise, side = torch.Generator().manual_seed(0), config["crop_size"]
    return ways, torch.randn(clips, frames, 3, side, side, generator=noise)


def agree(name: str, found: dict[str, torch.Tensor]) -> float:
    """Gate: the largest difference, in parts of the largest value."""
    gap = (found["ours"] - found["transformers"]).abs().max() / found["ours"].abs().max()
    if not gap <= CLOSE:
        raise SystemExit(f"gate: {name}: the two differ by {gap:.1e} of the largest value")
    return float(gap)


@torch.inference_mode()
def check() -> str:
    """Gate on a short clip of the first case."""
    name, (config, *_) = next(iter(CASES.items()))
    ways, video = ready(config, clips=1, frames=4)
    found = {way: encoder(pixel_values_videos=video) for way, encoder in ways.items()}
    gap = agree(name, {way: output.last_hidden_state for way, output in found.items()})
    return f"gate: {name}: both agree to {gap:.1e}"


def main() -> None:
    """Check that both agree, then time them in turn; the smallest ratio of all cases last."""
    ratios = {}
    for name, (config, clips, frames, calls) in CASES.items():
        ways, video = ready(config, clips, frames)
        seconds = {way: [] for way in ways}
        found = {}
        for turn in range(calls + 1):
            for way, encoder in ways.items():
                start = time.perf_counter()
                found[way] = encoder(pixel_values_videos=video).last_hidden_state
                if turn:
                    seconds[way].append(time.perf_counter() - start)
        gap = agree(name, found)
        median = {way: statistics.median(values) for way, values in seconds.items()}
        ratios[name] = median["transformers"] / median["ours"]
        print(
            f"{name:26} agree to {gap:.1e}; ours {1e3 * median['ours']:7.1f} ms, transformers"
            f" {1e3 * median['transformers']:7.1f} ms: {ratios[name]:.2f} times as fast"
        )
    least = min(ratios, key=ratios.get)
    print(f"ratio: transformers / ours = {ratios[least]:.2f} ({least})")


if __name__ == "__main__":
    with torch.inference_mode():
        main()
