"""Figures: results, or a study's evidence, as a picture beside the numbers that it shows."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from physprobe.config import kinds
from physprobe.figures.section import Kind
from physprobe.store import evidence, files, log, results


def run(
    *,
    kind: str,
    out: Path,
    vector: Path,
    table: Path,
    sources: Sequence[Path] = (),
    fits: Sequence[Path] = (),
    embeddings: Sequence[Path] = (),
    simulation: Sequence[Path] = (),
    clips: Sequence[Path] = (),
    claims: Sequence[str] = (),
    spec: str = "{}",
) -> None:
    """Draw results by themselves, or a study's evidence, into a PNG, an SVG and a CSV.

    Parameters
    ----------
    kind : str
        Module that draws it, such as ``transfer``, ``ladder`` or ``confusion``.
    out : Path
        The figure (PNG); title and caption are in its metadata.
    vector : Path
        The same as SVG, sharp at any size.
    table : Path
        What it shows, as numbers.
    sources : sequence of Path
        What is drawn: results (JSON), tables of training (CSV), published numbers (YAML).
    fits, embeddings, simulation, clips : sequence of Path
        A study's evidence, as ``falsify`` takes it, and its films; beside it sources are published
        numbers alone.
    claims : sequence of str
        Claims of the result that are shown; all of the kind that the figure is of if none.
    spec : str
        JSON of the study whose evidence it is.
    """
    from physprobe.drawing import canvas

    drawn: Kind = kinds.load("figures", kind)
    if drawn.NEEDS:
        name = out.absolute().parent.name
        study = json.loads(spec)
        if not fits or "encoders" not in study:
            raise ValueError(
                f"{kind} draws no result by itself. Hint: give a study's --fits, --embeddings,"
                " --simulation and --spec."
            )
        found = evidence.read(study, name, fits, embeddings, simulation, clips)
        frame = drawn.frame(found, *(content(path, drawn) for path in sources))
    else:
        if not sources:
            raise ValueError(f"{kind} draws results. Hint: name them as --sources.")
        frame = drawn.frame(*(content(path, drawn, claims) for path in sources))
    if len(frame):
        forms = canvas.encoded(drawn.figure(frame), drawn.TITLE, drawn.CAPTION)
    else:
        forms = canvas.encoded(canvas.nothing(drawn.TITLE), drawn.TITLE, canvas.NOTHING)
    for path, encoded in zip((out, vector), forms, strict=True):
        files.write_bytes(path, encoded)
    shown = frame.drop(columns="image", errors="ignore")
    files.write_text(table, shown.to_csv(index=False, float_format="%.7g"))
    log.done(f"{out}: {drawn.TITLE}, {len(frame)} lines")


def content(path: Path, drawn: Kind, claims: Sequence[str] = ()) -> Any:
    """Content of a file as the module that draws it takes it.

    Of a study's verdicts those on some claims alone, if any are named.
    """
    if path.suffix == ".csv":
        return files.read_table(path, drawn.COLUMNS).assign(recipe=path.parent.name)
    if path.suffix == ".yaml":
        return files.read_yaml(path)
    found = results.read(path, drawn.READS)
    if not claims:
        return found
    return found | {
        "rows": [row for row in found["rows"] if row["claim"] in claims],
        "claims": [line for line in found["claims"] if line["claim"] in claims],
        "shown": {claim: found["shown"][claim] for claim in claims},
    }
