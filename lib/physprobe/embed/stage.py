"""Embed: run a frozen encoder over every clip and keep the pooled hidden states of each layer."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from xarray import Dataset

from physprobe.config import kinds, seen
from physprobe.embed._encoder import Block, Encoder
from physprobe.embed.networks.network import Network
from physprobe.embed.section import EncoderSpec, Kind
from physprobe.store import job, log, parts, writing, zarrs

# clips per file: large enough to write fast, small enough to lose little when a job dies; as many
# as the clips themselves have in a file, where they are more, so that each of those is read once
BLOCK = 16


def run(
    *,
    clips: Path,
    out: Path,
    spec: str,
    simulation: Sequence[Path] = (),
    part: str = "",
    force: bool = False,
) -> None:
    """Embed the clips of a system into ``embeddings/{encoder}.zarr``.

    Parameters
    ----------
    clips : Path
        Root ``zarr.json`` of the clips.
    out : Path
        Root ``zarr.json`` of the store: ``pooled`` (clip, layer, time, feature), and
        ``tokens_<layer>`` (clip, time, y, x, feature) for the layers that the spec asks for; of an
        encoder with several members (member, clip, ...).
    spec : str
        JSON of the encoder's spec.
    simulation : sequence of Path
        Root ``zarr.json`` of the simulation, for a control that reads it; encoders see clips alone.
    part : str
        ``2/4``: the second of four jobs that embed a share of the clips each, by whole files; the
        same command without it makes one store of what they have written.
    force : bool
        Write the store anew if it is finished.

    Raises
    ------
    ValueError
        If the clips don't fit the encoder, its members are not of one architecture, or an
        activation overflows: layer and clip are named; if the simulation is given to an encoder,
        not to a control that reads it, or is of other clips.
    FileExistsError
        If the store is finished and follows from something else, unless forced.
    """
    root = zarrs.place(out)
    family: Kind
    spec_: EncoderSpec
    family, spec_ = kinds.parse("embed", spec)
    entry = spec_.dump()
    source = zarrs.read(clips)
    count = source.sizes["clip"]
    shown = seen.of(source.data_vars)
    if shown not in family.SEES:
        raise ValueError(
            f"{entry['kind']} sees a {' or a '.join(family.SEES)}, and {clips.parent} is a"
            f" {shown}. Hint: take an encoder of that, or another rendering."
        )
    if bool(simulation) != spec_.SEES_SIMULATION:
        raise ValueError(
            f"{entry['kind']}: {'needs no' if simulation else 'needs the'} simulation."
            " Hint: --simulation is for controls that read it; encoders see clips alone."
        )
    known: dict = {}
    if simulation:
        known["simulation"] = zarrs.joined(zarrs.read(simulation[0]), source)
    if spec_.NAMED:
        known["names"] = tuple(map(str, source["channel"].values))
    if spec_.SEES_RENDERING:
        known["rendering"] = dict(source.attrs["spec"])
    if spec_.JOINED:
        known |= {"clips": source["clip"].values, "digest": source.attrs["digest"]}
    size: dict = {
        **seen.FORMS[shown].told(source.sizes),
        "threads": job.current().threads,
    }
    networks = _Networks(
        spec_.members,
        lambda member: family.load(member, **size, **known),
    )
    provenance = networks.provenance(root)
    encoder = networks[networks.names[0]]
    several = {"member": len(networks.names)} if len(networks.names) > 1 else {}
    tokens = len(encoder.spans)
    variables = {
        "pooled": writing.Variable(
            (*several, "clip", "layer", "time", "feature"),
            (*several.values(), count, len(encoder.layers), tokens, encoder.features),
            encoder.dtype,
            inner=(1, tokens, encoder.features),
        )
    }
    for layer in spec_.tokens if isinstance(spec_, Network) else ():
        variables[f"tokens_{layer}"] = writing.Variable(
            (*several, "clip", "time", "y", "x", "feature"),
            (*several.values(), count, tokens, *encoder.grid, encoder.features),
            "float16",
        )
    coordinates = _coordinates(encoder, source.time.values, source["clip"].values)
    if several:
        what = {"long_name": "seed of the weights, or place of the copy"}
        coordinates = {"member": (("member",), np.array(networks.names), what), **coordinates}
    about: dict = {
        "variables": variables,
        "coords": coordinates,
        "attrs": {
            "schema": "physprobe/embedding/1",
            "encoder": root.stem,
            "role": spec_.ROLE,
            "spec": entry,
            "code": job.current().code,
            "clips": source.attrs["digest"],
            "simulation": source.attrs.get("simulation"),
            **provenance,
        },
        "fingerprint": {
            "code": job.current().code,
            "spec": entry,
            "content": spec_.content(),
            "clips": source.attrs["digest"],
            "encoder": provenance,
            **({"simulation": zarrs.digest(simulation[0])} if simulation else {}),
        },
        "block": max(BLOCK, source[shown].encoding["chunks"][0]),
        "force": force,
    }
    mine = parts.Part.parsed(part) if part else None
    if mine and (root / zarrs.ROOT).exists() and not force:
        log.info(f"{root} is finished already; --force writes it anew")
        return
    begun = parts.create(out, mine, **about) if mine else writing.create(out, **about)
    with begun as store:
        if not mine:
            parts.take_over(store, out)
        for place, member in enumerate(networks.names):
            own = store.of(place) if several else store
            if own.missing:
                _fill(own, networks[member], source)
    if mine:
        log.done(f"{root}: part {mine.number} of {mine.of} is there; the same without --part next")
        return
    log.done(
        f"{root} ({provenance['label']}):"
        + "".join(f" {number} members x" for number in several.values())
        + f" {count} clips x {len(encoder.layers)} layers x {tokens} times"
        f" x {encoder.features} features,"
        f" {log.megabytes(root):.0f} MB"
    )


class _Networks:
    """An entry's networks by name, one of them in memory at a time."""

    def __init__(self, specs: Mapping[int, EncoderSpec], load: Callable[[EncoderSpec], Encoder]):
        self._specs, self._load = specs, load
        self._last: tuple[int, Encoder] | None = None

    @property
    def names(self) -> list[int]:
        """Seeds of random networks, places of trained ones."""
        return list(self._specs)

    def __getitem__(self, name: int) -> Encoder:
        """Load one, after the last one is let go."""
        if self._last is None or self._last[0] != name:
            self._last = None
            self._last = name, self._load(self._specs[name])
        return self._last[1]

    def provenance(self, root: Path) -> dict:
        """Provenance of all: as of one, with a list where they differ. The first stays loaded.

        Raises
        ------
        ValueError
            If they are not of one architecture.
        """
        found: list[dict] = []
        shapes: list[tuple] = []
        for name in reversed(self.names):
            encoder = self[name]
            found.insert(0, encoder.provenance)
            shapes.insert(
                0, (encoder.layers, encoder.features, encoder.grid, encoder.spans.tolist())
            )
        for name, shape in zip(self.names, shapes, strict=True):
            for what, own, other in zip(
                ("layers", "features", "tokens", "frames per token"), shape, shapes[0], strict=True
            ):
                if own != other:
                    raise ValueError(
                        f"{root}: member {name} has {what} {own}, but the first has {other}."
                        " Hint: copies of one architecture make one entry, others an entry each."
                    )
        told = {key: [each[key] for each in found] for key in found[0]}
        whole = {k: v[0] if all(one == v[0] for one in v) else v for k, v in told.items()}
        if len(found) > 1:
            whole["label"] = f"{found[0]['label']}, and {len(found) - 1} more like it"
        return whole


def _fill(store: writing.Writer, encoder: Encoder, source: Dataset) -> None:
    """Write what is missing of one network's embeddings."""
    shown = seen.of(source.data_vars)
    blocks: list[Block] = [
        (zarrs.Lazy(source, shown, block), np.arange(block.start, block.stop))
        for block in store.missing
    ]
    embeddings = encoder.each(blocks)

    def compute(_: slice) -> dict[str, np.ndarray]:
        embedding = next(embeddings)
        found = {f"tokens_{layer}": value for layer, value in embedding.tokens.items()}
        return {"pooled": embedding.pooled, **found}

    store.fill(compute)


def _coordinates(encoder: Encoder, seconds: np.ndarray, clips: np.ndarray) -> dict:
    spans = np.asarray(encoder.spans)
    # of what is seen once, a frame lasts 1 s
    step = seconds[1] - seconds[0] if len(seconds) > 1 else 1.0
    start, end = seconds[spans[:, 0]], seconds[spans[:, 1] - 1] + step
    return {
        "clip": (("clip",), clips, {}),
        "layer": (
            ("layer",),
            np.array(encoder.layers),
            {"long_name": "blocks applied; final = normed"},
        ),
        "time": (
            ("time",),
            (start + end - step) / 2,
            {"units": "s", "long_name": "mean time of the frames"},
        ),
        "time_start": (("time",), start, {"units": "s"}),
        "time_end": (("time",), end, {"units": "s"}),
    }
