"""Device: what a GPU is worth to this package, measured in minutes and written in one result."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from physprobe.store import job, log, results
from physprobe.store.results import Schema
from physprobe.train.device import _bounds, _forward, _training
from physprobe.train.device._bounds import Size

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SCHEMA = Schema("device", ("layer", "frames", "backend"))
LARGE = Size(
    features=1024, blocks=24, heads=16, widening=4, patch=16, tubelet=2, side=256, frames=16,
    clips=32,
)  # fmt: skip
"""V-JEPA 2 ViT-L, as its config.json has it."""
SMALL = Size(
    features=48, blocks=2, heads=2, widening=4, patch=8, tubelet=2, side=16, frames=4, clips=3
)
LONGER = 4
"""The longer clips are so many times as long, and so many times fewer."""
OF_BOUND, OF_PEAK = 0.9, 0.55
"""Targets: of the bound by products and attention, and of the peak with the shorter clips."""
PART = 10.0
"""Time for each thing that is measured over and over [s]."""
RESERVE = 20.0
"""Time that is kept for the end [s]."""


def run(
    *,
    out: Path = Path("results/device.json"),
    device: str = "cuda",
    small: bool = False,
    seconds: float = 300.0,
    budget: float = 480.0,
) -> None:
    """Check a GPU's numbers, measure its speed against what bounds it, and train a recipe on it.

    Nothing is downloaded: all weights are random ones.

    Parameters
    ----------
    out : Path
        The result: rows of bf16 against float32 by layer, of speed by frames of a clip, of the
        training; ``targets``, each with whether it is met; ``seconds`` that each part took.
    device : str
        As torch names it; ``cpu`` tries the same code.
    small : bool
        Tiny sizes, to try it.
    seconds : float
        For the training [s]; less if the budget leaves less.
    budget : float
        For all of it [s].

    Raises
    ------
    RuntimeError
        If there is no such device.
    """
    begin = time.monotonic()
    where = _placed(device)
    name = torch.cuda.get_device_name(where) if where.type == "cuda" else "CPU"
    torch.set_num_threads(job.current().threads)
    shorter = SMALL if small else LARGE
    longer = replace(shorter, frames=LONGER * shorter.frames, clips=max(1, shorter.clips // LONGER))
    part = min(PART, budget / 20)
    rows: list[dict] = []
    taken: dict[str, float] = {}

    def done(what: str, found: list[dict]) -> list[dict]:
        rows.extend(found)
        taken[what] = time.monotonic() - begin - sum(taken.values())
        log.info(f"{what}: {taken[what]:.0f} s")
        return found

    stated = _bounds.peak(name)
    peak = stated or _bounds.measured_peak(where, 8192 if where.type == "cuda" else 256, part)
    done("peak", [_row("peak_teraflops", peak, note="stated" if stated else "measured")])
    network = _forward.model(shorter)
    apart = done("bf16", list(_apart(_forward.differences(network, shorter, where))))
    speeds = {
        size.frames: done(f"{size.frames} frames", list(_speeds(size, network, where, peak, part)))
        for size in (shorter, longer)
    }
    del network
    left = budget - min(RESERVE, budget / 20) - (time.monotonic() - begin)
    training = done("training", list(_trained(where, min(seconds, left), small)))
    targets = list(_targets(apart, speeds, shorter.frames))
    results.write(
        out,
        schema=SCHEMA,
        of={"encoder": "random V-JEPA 2"},
        spec={
            "device": device, "small": small, "seconds": seconds, "budget": budget,
            "architecture": shorter.config, "clips": {s.frames: s.clips for s in (shorter, longer)},
            "recipe": _training.TINY if small else _training.RECIPE,
        },
        rows=rows,
        targets=targets,
        seconds={**taken, "all": time.monotonic() - begin},
        provenance=job.provenance(
            {}, device=name, dtype="bfloat16", threads=job.current().threads, **_about(where)
        ),
    )  # fmt: skip
    met = sum(bool(target["met"]) for target in targets)
    trained = {row["metric"]: row["value"] for row in training}
    log.done(
        f"{name}: {met} of {len(targets)} targets are met;"
        f" {', '.join(_told(frames, found) for frames, found in speeds.items())};"
        f" {trained['steps'] or 0:.0f} steps of training"
    )


def _placed(device: str) -> torch.device:
    try:
        where = torch.device(device)
    except RuntimeError:
        raise ValueError(f"--device: found {device!r}. Hint: cuda, cuda:1 or cpu.") from None
    if where.type not in ("cuda", "cpu"):
        raise ValueError(f"--device: found {device!r}. Hint: cuda, cuda:1 or cpu.")
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if where.type == "cuda" and (where.index or 0) >= there:
        raise RuntimeError(
            f"{device}: no such device; torch {torch.__version__} finds {there} GPUs here. Hint:"
            " --device cpu --small tries the same code on a processor."
        )
    return where


def _about(where: torch.device) -> dict:
    """What else of a device numbers and speed follow from."""
    if where.type != "cuda":
        return {}
    found = torch.cuda.get_device_properties(where)
    return {
        "capability": f"{found.major}.{found.minor}",
        "gigabytes": round(found.total_memory / 1e9, 1),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }


def _row(metric: str, value: float | None, **more: object) -> dict:
    return {"metric": metric, "value": value, **more}


def _apart(found: dict[str, tuple]) -> Iterator[dict]:
    for layer, (all_of, between) in found.items():
        yield _row("bf16_difference", all_of, layer=layer, note=f"allowed: {_forward.TOLERANCE:g}")
        yield _row("bf16_difference_between_clips", between, layer=layer)


def _speeds(
    size: Size, network: "PreTrainedModel", where: torch.device, peak: float, longest: float
) -> Iterator[dict]:
    """How fast the network is, alone and from bytes to features, and what bounds it."""
    products = _bounds.product_rate(size, where, longest / 2)
    rates = _bounds.attention_rates(size, where, longest / 2)
    backend, alone, whole = _forward.speed(network, size, where, longest)
    of: dict[str, object] = {"frames": size.frames}
    yield _row("product_teraflops", products, **of)
    for name, rate in rates.items():
        note = "in use" if name == backend else None
        yield _row("attention_teraflops", rate, backend=name, note=note, **of)
    bound = 1 / (size.products / products + size.attention / rates[backend])
    of["backend"] = backend
    yield _row("teraflop_per_clip", size.operations, **of)
    yield _row("clips_per_second_bound", bound, **of)
    yield _row("clips_per_second", alone, **of)
    yield _row("clips_per_second_from_bytes", whole, **of)
    yield _row("share_of_bound", alone / bound, **of)
    yield _row("share_of_peak", alone * size.operations / peak, **of)


def _trained(where: torch.device, seconds: float, small: bool) -> Iterator[dict]:
    if seconds <= 0:
        yield _row("steps", None, note="the budget has left no time")
        return
    found = _training.train(where, seconds, small=small)
    steps, last = len(found.losses), found.losses[-50:]
    yield _row("steps", steps)
    yield _row("training_seconds", found.seconds)
    yield _row("training_clips_per_second", steps * found.batch / found.seconds)
    yield _row("share_computing", min(1.0, steps * found.computing / found.seconds))
    yield _row("loss_first", found.losses[0])
    yield _row("loss_last", sum(last) / len(last), note=f"mean of {len(last)} steps")
    for when, score in zip(("before", "after"), found.scores, strict=True):
        yield _row(f"r2_{when}", score)


def _value(rows: list[dict], metric: str) -> float:
    return next(row["value"] for row in rows if row["metric"] == metric)


def _targets(apart: list[dict], speeds: dict[int, list[dict]], first: int) -> Iterator[dict]:
    worst = max(row["value"] for row in apart if row["metric"] == "bf16_difference")
    yield {
        "what": "bf16_difference, worst layer", "value": worst, "at_most": _forward.TOLERANCE,
        "met": worst <= _forward.TOLERANCE,
    }  # fmt: skip
    wanted = [("share_of_bound", frames, OF_BOUND) for frames in speeds]
    for metric, frames, least in (*wanted, ("share_of_peak", first, OF_PEAK)):
        value = _value(speeds[frames], metric)
        yield {
            "what": f"{metric}, {frames} frames", "value": value, "at_least": least,
            "met": value >= least,
        }  # fmt: skip


def _told(frames: int, rows: list[dict]) -> str:
    rate, share = (_value(rows, metric) for metric in ("clips_per_second", "share_of_bound"))
    return f"{frames} frames {rate:.1f} clips/s, {100 * share:.0f} % of the bound"
