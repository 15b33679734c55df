"""Render: turn a simulated field into what an encoder sees of it, a video, channels or a signal."""

from pathlib import Path

import numpy as np

from physprobe.config import kinds, seen
from physprobe.render.section import Kind
from physprobe.store import job, log, writing, zarrs


def run(
    *,
    simulation: Path,
    out: Path,
    spec: str,
    force: bool = False,
) -> None:
    """Render a simulation into ``clips.zarr``.

    Parameters
    ----------
    simulation : Path
        Root ``zarr.json`` of the simulation.
    out : Path
        Root ``zarr.json`` of the store: ``video`` (clip, time, y, x, rgb) uint8,
        ``channels`` (clip, time, y, x, channel) float32 or ``signal`` (clip, time, channel)
        float32, as the renderer makes it.
    spec : str
        JSON of the renderer's spec.
    force : bool
        Write the store anew if it is finished.

    Raises
    ------
    ValueError
        If a frame is not finite.
    FileExistsError
        If the store is finished and follows from something else, unless forced.
    """
    root = zarrs.place(out)
    renderer: Kind
    renderer, spec_ = kinds.parse("render", spec)
    entry = spec_.dump()
    source = zarrs.read(simulation)
    field = source.attrs["field"]
    count = source.sizes["clip"]
    form = seen.FORMS[renderer.SEEN]
    names = source.channel.values if renderer.CHANNELS is None else np.array(renderer.CHANNELS)
    example = renderer.frames(spec_, zarrs.values(source, field, clip=slice(0, 1))[0])
    variable = writing.Variable(
        ("clip", *form.dims),
        (count, *example.shape),
        form.dtype,
        {"units": renderer.UNIT} if renderer.UNIT else {},
        compress=True,
    )

    def frames(block: slice) -> dict[str, np.ndarray]:
        found = []
        for clip, values in enumerate(zarrs.values(source, field, clip=block), block.start):
            try:
                found.append(renderer.frames(spec_, values))
            except ValueError as error:
                raise ValueError(f"clip {clip} of {simulation.parent}: {error}") from None
        return {renderer.SEEN: np.stack(found)}

    with writing.create(
        out,
        variables={renderer.SEEN: variable},
        coords={
            "clip": (("clip",), source["clip"].values, {}),
            "time": (("time",), source.time.values, {"units": source.time.attrs["units"]}),
            form.dims[-1]: ((form.dims[-1],), names, {}),
        },
        attrs={
            "schema": "physprobe/clips/1",
            "spec": entry,
            "code": job.current().code,
            "simulation": source.attrs["digest"],
        },
        fingerprint={
            "code": job.current().code,
            "spec": entry,
            "simulation": source.attrs["digest"],
        },
        block=renderer.TOGETHER or form.block,
        force=force,
    ) as store:
        store.fill(frames, 1 if renderer.IN_TURN else job.current().threads)
    log.done(
        f"{root}: {count} clips x {' x '.join(map(str, example.shape))} {form.dtype},"
        f" {log.megabytes(root):.0f} MB"
    )
