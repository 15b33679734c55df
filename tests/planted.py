"""A small study whose scores are planted, made by the real stages."""

import json
from pathlib import Path

import numpy as np

from physprobe.store import writing

CLIPS, FRAMES, SIDE, TIMES = 30, 16, 16, 12
ENCODERS = ("small", "small_causal")
NOISE = {
    "small": 0.4,
    "small_causal": 0.6,
    "brightness": 1.2,
    "pixels_gray16": 0.8,
    "untrained": 1.5,
    "repeated_frame": 1.0,
}
LAYERS = {"brightness": ("statistics",), "pixels_gray16": ("pixels",)}
STUDY = {
    "question": "",
    "system": "heat",
    "systems": [],
    "encoders": list(ENCODERS),
    "controls": ["brightness", "pixels_gray16", "untrained", "repeated_frame"],
    "methods": ["ridge", "dmd", "spatial_heat_head"],
    "claims": {
        "decodable": {
            "kind": "decodable",
            "statement": "Alpha <b>is</b> decodable & more.",
            "target": "alpha",
            "system": "",
            "method": "",
            "encoders": [],
        },
        "beyond_pixels": {
            "kind": "beyond_pixels",
            "statement": "It is no map of pixels.",
            "system": "",
            "method": "",
            "encoders": [],
        },
    },
}


def label(name: str) -> str:
    """What an embedding says about itself."""
    random = name not in LAYERS
    return f"untrained, 6 wide, seed 0, {name}" if random else name.replace("_", " ")


def store(out: Path, variables: dict, coords: dict, attrs: dict) -> Path:
    """Write a store whose variables are (dims, array)."""
    with writing.create(
        out,
        variables={
            name: writing.Variable(dims, values.shape, str(values.dtype))
            for name, (dims, values) in variables.items()
        },
        coords=coords,
        attrs={"spec": {"kind": "any"}, **attrs},
        fingerprint={},
        block=len(next(iter(variables.values()))[1]),
    ) as writer:
        writer.fill(lambda block: {name: values[block] for name, (_, values) in variables.items()})
    return out


def embedding(folder: Path, name: str, alpha: np.ndarray) -> Path:
    """Alpha in one direction, more of it in later layers; a rotation for dynamics."""
    rng = np.random.default_rng(len(name))
    layers = LAYERS.get(name, ("0", "1", "final"))
    angle = 0.3 * np.arange(TIMES) + rng.uniform(0, 6, (CLIPS, 1))
    pooled = 0.1 * rng.normal(size=(CLIPS, len(layers), TIMES, 6))
    pooled[..., 0] += np.cos(angle)[:, None]
    pooled[..., 1] += np.sin(angle)[:, None]
    for depth in range(len(layers)):
        noise = NOISE[name] * (len(layers) - depth)
        pooled[:, depth, :, 2] += (alpha + rng.normal(0, noise, CLIPS))[:, None]
    tokens = {}
    if name == "small":
        cells = rng.normal(size=(CLIPS, TIMES, 4, 4, 6)).astype("float16")
        tokens = {"tokens_final": (("clip", "time", "y", "x", "feature"), cells)}
    specs = {
        "pixels_gray16": {"kind": "pixels", "size": 16, "color": "gray", "tubelet": 2,
                          "tubelet_frames": "mean", "frames": "ordered"},
        "untrained": {"kind": "untrained"},
    }  # fmt: skip
    return store(
        folder / "embeddings" / f"{name}.zarr" / "zarr.json",
        {"pooled": (("clip", "layer", "time", "feature"), pooled.astype("float32")), **tokens},
        {
            "layer": (("layer",), np.array(layers), {}),
            "time": (("time",), 0.5 + 2.0 * np.arange(TIMES), {"units": "s"}),
        },
        {
            "label": label(name),
            "hf_repo": label(name),
            "revision": None,
            "weights_hash": "ab" * 8 if "untrained" in label(name) else None,
            "device": "cpu",
            "dtype": "float32",
            "code": "c0de",
            "spec": specs.get(name, {"kind": "any"}),
        },
    )


def study(folder: Path) -> dict:
    """Paths of everything that a study is judged from, by the names of the stages' options."""
    from physprobe.falsify import stage as falsify
    from physprobe.fit import stage as fit
    from physprobe.fit.methods.dmd import Spec as Dmd
    from physprobe.fit.methods.ridge import Spec as Ridge
    from physprobe.fit.methods.spatial_heat_head import Spec as Head

    rng = np.random.default_rng(0)
    alpha = rng.uniform(0.5, 5.0, CLIPS)
    field = rng.normal(0, 0.2, (CLIPS, FRAMES, SIDE, SIDE)).astype("float32")
    field[alpha > 4] *= 10.0
    labels = {
        "alpha": (("clip",), alpha, {"units": "px^2/s"}),
        "stable": (("clip",), alpha <= 2.5, {}),
    }
    seconds = {"time": (("time",), np.arange(FRAMES, dtype=float), {"units": "s"})}
    simulation = store(
        folder / "simulation.zarr" / "zarr.json",
        {"temperature": (("clip", "time", "y", "x"), field)},
        {**seconds, **labels},
        {"field": "temperature"},
    )
    video = rng.integers(0, 256, (CLIPS, FRAMES, SIDE, SIDE, 3), dtype=np.uint8)
    clips = store(
        folder / "clips.zarr" / "zarr.json",
        {"video": (("clip", "time", "y", "x", "rgb"), video)},
        seconds,
        {},
    )
    names = (*ENCODERS, *STUDY["controls"])
    embeddings = [embedding(folder, name, alpha) for name in names]
    ridge = Ridge(permutations=20, bootstraps=200, targets=("alpha",))
    dmd = Dmd(shuffles=5, bootstraps=100, spectra=100, ranks=(3,), horizons=(1, 2, 4), components=4)
    kernels = Head(permutations=10, bootstraps=100, refits=100, horizons=(1, 2))
    probes = [folder / "fits" / f"{name}.ridge.json" for name in names]
    models = [folder / "fits" / f"{name}.dmd.json" for name in names]
    for source, decoded, model in zip(embeddings, probes, models, strict=True):
        common = {"embeddings": [source], "simulation": [simulation]}
        fit.run(**common, out=decoded, spec=ridge.canonical())
        fit.run(**common, out=model, spec=dmd.canonical())
    head = folder / "fits" / "small.spatial_heat_head.json"
    common = {"embeddings": embeddings[:1], "simulation": [simulation]}
    fit.run(**common, out=head, spec=kernels.canonical())
    evidence = {
        "fits": [*probes, *models, head],
        "embeddings": embeddings,
        "simulation": [simulation],
        "spec": json.dumps(STUDY),
    }
    judged = folder / "verdicts.json"
    falsify.run(**evidence, out=judged)
    return {**evidence, "clips": [clips], "verdicts": judged}
