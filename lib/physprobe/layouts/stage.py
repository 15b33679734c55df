"""Layouts: a study's fits and verdicts in a published form."""

import json
from pathlib import Path

from physprobe.config import kinds
from physprobe.layouts.section import Filled
from physprobe.store import evidence, files, job, log, results


def run(
    *,
    kind: str,
    fits: list[Path],
    embeddings: list[Path],
    simulation: list[Path],
    clips: list[Path],
    verdicts: Path,
    out: list[Path],
    spec: str,
) -> None:
    """Write a study in a published form, such as ``fit_metrics.json`` and the files beside it.

    Parameters
    ----------
    kind : str
        The form: a module of ``layouts``.
    fits, embeddings, simulation : list of Path
        The study's evidence, as ``falsify`` takes it.
    clips : list of Path
        Root ``zarr.json`` of the systems' films.
    verdicts : Path
        ``verdicts.json`` of the study.
    out : list of Path
        The form's files, each by its name.
    spec : str
        JSON of the study.
    """
    study, form = json.loads(spec), kinds.load("layouts", kind)
    if {path.name for path in out} != set(form.FILES):
        raise ValueError(f"{kind} has the files {', '.join(form.FILES)}. Hint: name each as --out.")
    name = verdicts.absolute().parent.name
    found = evidence.read(study, name, fits, embeddings, simulation, clips)
    content = form.fill(found, results.read(verdicts, "verdicts"))
    for path in out:
        match content[path.name]:
            case Filled() as filled:
                origin = {
                    **{system: store.attrs["digest"] for system, store in found.clips.items()},
                    **results.digests((*fits, verdicts)),
                }
                results.write(
                    path,
                    schema=filled.schema,
                    of=filled.of,
                    spec=study,
                    rows=filled.rows,
                    provenance=job.provenance(origin, **filled.provenance),
                    **filled.blocks,
                )
            case str() as text:
                files.write_text(path, text)
            case image:
                files.write_bytes(path, image)
    log.done(f"{name}: {', '.join(content)}")
