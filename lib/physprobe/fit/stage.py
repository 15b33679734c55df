"""Fit: one method, applied to one encoder's embeddings under one design."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from physprobe.config import kinds
from physprobe.embed.section import Foresight
from physprobe.fit import _members
from physprobe.fit._abroad import Abroad
from physprobe.fit.designs.plain import Spec as Plain
from physprobe.fit.section import DESIGNS, METHODS, Case, Design, Given, MethodSpec
from physprobe.store import files, job, log, results
from physprobe.store.inputs import Films, Inputs, members


def run(
    *,
    embeddings: list[Path],
    simulation: list[Path],
    clips: Sequence[Path] = (),
    abroad: Sequence[Path] = (),
    out: Path,
    spec: str,
    design: str = '{"kind": "plain"}',
) -> None:
    """Fit a method to one encoder's embeddings into ``fits/{source}.{method}.json``.

    To each of its members, where it has several: their rows carry ``member``, those without one are
    of the mean over members.

    Parameters
    ----------
    embeddings : list of Path
        Root ``zarr.json`` of the embeddings of each system; for a law also of the simulation (the
        source ``field``) or of the clips (``video``).
    simulation : list of Path
        Root ``zarr.json`` of each system's simulation: labels, and ``group`` and ``split`` if
        declared.
    clips : sequence of Path
        Root ``zarr.json`` of the system's clips, for a method that draws them; and of those that
        it draws in their place, where it names a system of which.
    abroad : sequence of Path
        Root ``zarr.json`` of the clips of another system, for a method that shows it besides.
    out : Path
        The result.
    spec : str
        JSON of the method's spec.
    design : str
        JSON of the design's spec: which clips are fitted, and which are scored.

    Raises
    ------
    ValueError
        If the stores' clips don't go together, a target is no label of the system, or the method
        can't do what the design asks.
    """
    plan: Design = kinds.parse(DESIGNS, design)[1]
    fitted = {}
    for member in members(embeddings[0]):
        found = []
        for case in plan.cases(embeddings, simulation, spec, member):
            if case.spec.FILMED:
                case = _filmed(case, clips, abroad, member)
            rows, blocks = case.inputs.kind.fit(case.spec, case.given)
            found.append((case, rows, blocks))
        fitted[member] = plan.gathered(found)
    first = found[0][0].inputs
    systems = [path.absolute().parents[1].name for path in simulation]
    encoder = first.own or embeddings[0].parent.stem
    rows, blocks = _members.gathered(fitted, encoder)
    results.write(
        out,
        schema=plan.result_schema(first.spec),
        of={
            "system": plan.system(systems),
            "encoder": encoder,
            "method": out.stem.partition(".")[2] or first.spec.kind,
        },
        spec=first.spec.dump(),
        design=plan.dump(),
        rows=rows,
        **blocks,
        systems=systems,
        label=first.source.attrs.get("label"),
        provenance=first.provenance(),
    )
    log.done(f"{out.stem}: {_law(blocks) if 'verdict' in blocks else _scored(first, rows)}")


def _filmed(case: Case, clips: Sequence[Path], abroad: Sequence[Path], member: int | None) -> Case:
    """A case with the frames that were embedded, and a clip of another system if it shows one."""
    expected = 2 if case.spec.films else 1
    if len(clips) != expected:
        raise ValueError(
            f"{len(clips)} stores of clips, expected {expected}: {case.inputs.spec.kind} draws"
            " those of one system. Hint: give --clips results/SYSTEM/clips.zarr/zarr.json, first of"
            " those that are embedded, then of those that are drawn in their place, if there are."
        )
    assert isinstance(case.given, Given)
    inputs, frames = case.inputs.filmed(clips[-1])
    embedded = case.inputs.filmed(clips[0])[1] if case.spec.films else None
    motion = case.given.motion and case.given.motion.filmed(frames.source.attrs["spec"])
    shown = Abroad.of(inputs, clips[0], abroad[0]) if case.spec.also and abroad else None
    given = replace(case.given, frames=frames, embedded=embedded, motion=motion, abroad=shown)
    if case.spec.FORESEES:
        given = replace(given, whole=frames.whole, foresight=_foresight(inputs, frames, member))
    return replace(case, inputs=inputs, given=given)


def _foresight(inputs: Inputs[MethodSpec], frames: Films, member: int | None) -> Foresight | None:
    """The encoder's own predictor of masked tokens, for the size of the frames."""
    family, spec = kinds.parse("embed", json.dumps(inputs.source.attrs["spec"]))
    height, width = frames.source["video"].shape[2:4]
    found: Foresight | None = family.foresight(
        spec, member, height=height, width=width, threads=job.current().threads
    )
    return found


def weights(
    *,
    embeddings: list[Path],
    simulation: list[Path],
    out: Path,
    spec: str,
) -> None:
    """Fit a method that has weights on every clip into a safetensors file.

    To the first member, where an encoder has several; the file says which.

    Parameters
    ----------
    embeddings, simulation, spec
        As for :func:`run`.
    out : Path
        The file; tensors as the kind's ``weights`` names them.

    Raises
    ------
    ValueError
        If the kind has no weights, or as for :func:`run`.
    """
    kind, _ = kinds.parse(METHODS, spec)
    if not hasattr(kind, "trained"):
        raise ValueError(f"{out}: kind {kind.__name__.rpartition('.')[2]!r} has no weights.")
    member = members(embeddings[0])[0]
    (case,) = Plain().cases(embeddings, simulation, spec, member)
    found, spec_ = case.inputs, case.spec
    tensors = kind.trained(spec_, case.given)
    metadata = {
        "schema": "physprobe/spatial_head/1",
        "equation": "x[t+1] = x[t] + alpha K(x[t]); x = (token - mean) @ matrix of whitening",
        "layer": spec_.layer,
        "label": spec_.label,
        "label_unit": found.units.get(spec_.label, "1"),
        "time_step_seconds": f"{np.diff(found.times).mean():.9g}",
        "clips": str(len(found.groups)),
        "encoder": str(found.source.attrs.get("label")),
        "weights_hash": str(found.source.attrs.get("weights_hash")),
        "embeddings": found.digests["embeddings"],
        **({} if member is None else {"member": str(member)}),
        "code": job.current().code,
        "spec": spec_.canonical(),
    }
    files.write_tensors(out, tensors, metadata)
    channels = len(tensors["real.depthwise.weight"])
    log.done(f"{out.stem}: kernels of {channels} channels from {len(found.groups)} clips")


def _law(blocks: dict) -> str:
    """Which law was found, or why none was, in words."""
    found = blocks["verdict"]
    why = f": {found['reason']}" if found["reason"] else f" by {found['law']}"
    return f"{len(blocks['clips']['verdict'])} clips, {blocks['read']}; {found['verdict']}{why}"


def _scored(first: Inputs[MethodSpec], rows: list[dict]) -> str:
    """What was scored on how many clips, in words."""
    folds = f"{len(first.folds)} outer fold{'s' * (len(first.folds) > 1)}"
    return f"{len(first.groups)} clips in {folds}, {_best(rows)}"


def _best(rows: list[dict]) -> str:
    """First score of a layer that was chosen, or of a forecast one token ahead, in words."""
    for row in rows:
        chosen = row.get("layer") == "selected" and row["metric"] in ("r2", "accuracy")
        ahead = row["metric"] == "skill" and row.get("baseline") == "persistence"
        pairs = row["metric"] == "relative_accuracy" and row.get("context") == "selected"
        if (chosen or ahead or pairs) and row.get("value") is not None:
            what = f"{row['metric']} of {row['target']}" if chosen else "skill against persistence"
            what = "pairs whose impossible film surprises more" if pairs else what
            return f"{what} {row['value']:.3f} [{row['ci_low']:.3f}, {row['ci_high']:.3f}]"
    return f"{len(rows)} rows"
