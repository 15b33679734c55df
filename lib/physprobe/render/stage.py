"""Render: turn a simulated field into video as an encoder sees it."""

from pathlib import Path

import numpy as np

from physprobe.config import kinds
from physprobe.render.section import Kind
from physprobe.store import job, log, zarrs


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
        Root ``zarr.json`` of the store: ``video`` (clip, time, y, x, rgb) uint8.
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
    example = renderer.frames(spec_, zarrs.values(source, field, clip=slice(0, 1))[0])
    video = zarrs.Variable(
        ("clip", "time", "y", "x", "rgb"), (count, *example.shape), "uint8", compress=True
    )

    def frames(clip: int) -> np.ndarray:
        try:
            return renderer.frames(spec_, zarrs.values(source, field, clip=clip))
        except ValueError as error:
            raise ValueError(f"clip {clip} of {simulation.parent}: {error}") from None

    with zarrs.create(
        out,
        variables={"video": video},
        coords={
            "clip": (("clip",), source["clip"].values, {}),
            "time": (("time",), source.time.values, {"units": "s"}),
            "rgb": (("rgb",), np.array(["red", "green", "blue"]), {}),
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
        force=force,
    ) as store:
        store.fill(lambda block: {"video": frames(block.start)[None]}, job.current().threads)
    log.done(
        f"{root}: {count} clips x {' x '.join(map(str, example.shape))} uint8,"
        f" {log.megabytes(root):.0f} MB"
    )


def preview(*, clips: Path, out: Path) -> None:
    """Write ``preview.mp4``: the first clips side by side, for people.

    Parameters
    ----------
    clips : Path
        Root ``zarr.json`` of the clips.
    out : Path
        The film.
    """
    from physprobe.render import _video

    source = zarrs.read(clips)
    _video.preview(zarrs.values(source, "video", clip=slice(0, 8)), out)
    log.done(f"{out}: {min(8, source.sizes['clip'])} clips")
