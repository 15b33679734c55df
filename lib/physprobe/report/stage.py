"""Report: a study's or a comparison's fits as numbers, text, table and figure."""

import json
from pathlib import Path

from physprobe.config import kinds
from physprobe.falsify.stage import FALSIFICATION
from physprobe.fit.section import SCHEMAS
from physprobe.store import files, inputs, job, log, results, zarrs
from physprobe.store.fits import Fits
from physprobe.store.results import Schema

ROLES = ("probe", "dynamics", "head")
FIT = Schema("fit", tuple({name for role in ROLES for name in SCHEMAS[role].dimensions}))
COMPARISON = Schema("comparison", FALSIFICATION.dimensions)


def run(
    *,
    probes: list[Path],
    koopman: list[Path],
    heads: list[Path],
    embeddings: list[Path],
    falsification: Path,
    simulation: Path,
    clips: Path,
    metrics: Path,
    summary: Path,
    figure: Path,
    table: Path,
    spec: str,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Write ``fit_metrics.json``, ``fit_summary.txt``, ``fit_results.png`` and ``fit_results.csv``.

    Parameters
    ----------
    probes, koopman, heads : list of Path
        Results ``{encoder}.{probe}.json`` of every encoder and control.
    embeddings : list of Path
        Root ``zarr.json`` of every embedding: labels, sizes, weights' hashes.
    falsification : Path
        ``pixel_falsification_metrics.json`` of the study.
    simulation, clips : Path
        Root ``zarr.json`` of the system's fields and videos.
    metrics, summary, figure, table : Path
        What is written.
    spec : str
        JSON of the study.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    from physprobe.report import _axes, _content, _frames, _metrics, _palette, _summary

    entry = json.loads(spec)
    stored = {path.parent.stem: zarrs.read(path) for path in embeddings}
    system = zarrs.read(simulation)
    study = _frames.Study(
        name=metrics.parent.name,
        encoders=tuple(entry["encoders"]),
        controls=tuple(entry["controls"]),
        labels={name: store.attrs["label"] for name, store in stored.items()},
        probes=Fits.read(probes, "probe"),
        koopman=Fits.read(koopman, "dynamics"),
        heads=Fits.read(heads, "head"),
        specs={name: store.attrs["spec"] for name, store in stored.items()},
        units=_content.units(system),
    )
    judged = results.read(falsification, "falsification")
    for sort in (study.probes, study.koopman, study.heads):
        for name, result in sort.items():
            inputs.check_origin(name, result, embeddings=stored[name], simulation=system)
    films = zarrs.joined(zarrs.read(clips), system)
    blocks = {name: _metrics.blocks(study, name, judged) for name in study.names}
    first = study.encoders[0]
    label = study.labels[first]
    content = {
        "study": study.name,
        "label": label,
        "untrained": _palette.random(label),
        "decoded": study.decoded,
        "setup": {
            **_content.protocol(study, first, system.sizes["clip"]),
            "embedding_dim": stored[first].sizes["feature"],
            "head_permutations": next(iter(study.heads.values()))["spec"]["permutations"]
            if study.heads
            else None,
        },
        **blocks[first],
        "encoders": {name: _content.told(study, name, blocks) for name in study.encoders},
        "controls": {
            name: _content.told(study, name, blocks) for name in study.names[len(study.encoders) :]
        },
        "artefact": _content.artefact(study, judged, system),
    }
    frames = {
        "filmstrip": _content.films(study, system, films),
        "ladder": _frames.ladder(study),
        "predicted": _frames.predicted(study),
        "layers": _frames.layers(study),
        "skill": _frames.skill(study),
        "spatial": _frames.spatial(study),
        "eigenvalues": _frames.eigenvalues(study),
    }
    files.write_text(table, _frames.table(frames).to_csv(index=False, float_format="%.7g"))
    drawn = kinds.load("report", "fit_results")
    sheet = drawn.figure(frames, _content.heading(content))
    files.write_bytes(figure, _axes.png(sheet))
    files.write_text(summary, _summary.text(content, judged["claims"]))
    results.write(
        metrics,
        schema=FIT,
        of={"system": simulation.absolute().parents[1].name},
        spec=entry,
        rows=_metrics.rows(study),
        provenance=job.provenance(
            code,
            {
                "simulation": system.attrs["digest"],
                "clips": films.attrs["digest"],
                **results.digests((*probes, *koopman, *heads, falsification)),
            },
            encoders={name: _content.origin(store.attrs) for name, store in stored.items()},
        ),
        **content,
    )
    score = _summary.probability(content["probe_sim"]["value"])
    log.done(f"{study.name}: {study.target} {score} from {first} ({label}), {len(frames)} panels")


def compare(
    *,
    probes: list[Path],
    koopman: list[Path],
    embeddings: list[Path],
    falsification: Path,
    simulation: list[Path],
    clips: list[Path],
    metrics: Path,
    summary: Path,
    figure: Path,
    table: Path,
    spec: str,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Write ``fit_metrics.json`` and the files beside it, as of a study, for systems side by side.

    Parameters
    ----------
    probes, koopman : list of Path
        Results ``{comparison}/.../{encoder}.{entry}.json`` of all systems together, and
        ``{system}/.../{encoder}.{entry}.json`` of each.
    embeddings : list of Path
        Root ``zarr.json`` of every embedding of the first system.
    falsification : Path
        ``falsification_metrics.json`` of the comparison.
    simulation, clips : list of Path
        Root ``zarr.json`` of the fields of all systems, and of the videos of those that share
        their initial conditions, in the comparison's order.
    metrics, summary, figure, table : Path
        What is written.
    spec : str
        JSON of the comparison.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    from physprobe.report import (
        _axes,
        _comparison,
        _comparison_summary,
        _content,
        _frames,
        _palette,
        _summary,
    )

    entry, judged = json.loads(spec), results.read(falsification, "falsification")
    stored = {path.parent.stem: zarrs.read(path) for path in embeddings}
    labels = {name: store.attrs["label"] for name, store in stored.items()}
    name = metrics.parent.name
    decoded = Fits.by_folder(probes, "probe")
    moved = Fits.by_folder(koopman, "dynamics")

    def study(folder: str) -> _frames.Study:
        return _frames.Study(
            name=folder,
            encoders=tuple(entry["encoders"]),
            controls=tuple(entry["controls"]),
            labels=labels,
            specs={name: store.attrs["spec"] for name, store in stored.items()},
            probes=decoded.get(folder, Fits()),
            koopman=moved.get(folder, Fits()),
        )

    fields = {path.parents[1].name: zarrs.read(path) for path in simulation}
    pairs = [fields[system] for system in entry["systems"]]
    comparison = _comparison.Comparison(
        together=study(name),
        systems={system: study(system) for system in entry["systems"]},
        parameters={system: study(system) for system in entry["parameters"]},
        equations={system: inputs.equation(store) for system, store in fields.items()},
        units={system: _content.units(store) for system, store in fields.items()},
    )
    together = comparison.together
    blocks = {each: _comparison.blocks(comparison, each, judged) for each in together.names}
    first = together.encoders[0]
    content = {
        "study": name,
        "label": labels[first],
        "untrained": _palette.random(labels[first]),
        "equations": {system: comparison.equations[system] for system in entry["systems"]},
        "setup": {
            **_content.protocol(together, first, sum(store.sizes["clip"] for store in pairs)),
            "embedding_dim": stored[first].sizes["feature"],
            **_content.published_setup(together, first),
        },
        **blocks[first],
        "encoders": {each: _content.told(together, each, blocks) for each in together.encoders},
        "controls": {each: _content.told(together, each, blocks) for each in together.controls},
    }
    videos = [
        zarrs.joined(zarrs.read(path), store) for path, store in zip(clips, pairs, strict=True)
    ]
    frames = {
        "counterparts": _comparison.films(
            [comparison.equations[system] for system in entry["systems"]],
            [inputs.counterparts(store) for store in pairs],
            videos[0].time.values,
            lambda place, clip: zarrs.values(videos[place], "video", clip=clip),
        ),
        **_comparison.frames(comparison),
    }
    files.write_text(table, _frames.table(frames).to_csv(index=False, float_format="%.7g"))
    drawn = kinds.load("report", "fit_comparison")
    files.write_bytes(figure, _axes.png(drawn.figure(frames, _content.heading(content))))
    files.write_text(summary, _comparison_summary.text(content, judged["claims"]))
    results.write(
        metrics,
        schema=COMPARISON,
        of={"system": judged["system"]},
        spec=entry,
        rows=judged["rows"],
        provenance=job.provenance(
            code,
            results.digests((*probes, *koopman)),
            encoders={each: _content.origin(store.attrs) for each, store in stored.items()},
        ),
        **content,
    )
    told = _summary.probability(content["equation_classification"]["sim_mean_test"]["accuracy"])
    log.done(f"{name}: accuracy {told} from {first} ({labels[first]}), {len(frames)} panels")
