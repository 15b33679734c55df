"""Report: a study's fits as numbers, text, table and figure, and all studies as one page."""

import hashlib
import json
from pathlib import Path

import numpy as np

from physprobe.core import inputs, job, results, stores

EXPLODED = 1.01  # the initial maximum is 1, and no heat equation exceeds it


def fit(
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
    from physprobe.report import _axes, _frames, _metrics, _summary, fit_results

    entry = json.loads(spec)
    stored = {path.parent.stem: stores.read(path) for path in embeddings}
    study = _frames.Study(
        name=metrics.parent.name,
        encoders=tuple(entry["encoders"]),
        controls=tuple(entry["controls"]),
        labels={name: store.attrs["label"] for name, store in stored.items()},
        probes=results.by_name(probes),
        koopman=results.by_name(koopman),
        heads=results.by_name(heads),
    )
    judged, system = results.read(falsification), stores.read(simulation)
    blocks = {name: _metrics.blocks(study, name, judged) for name in study.names}
    first = study.encoders[0]
    label = study.labels[first]
    content = {
        "study": study.name,
        "label": label,
        "untrained": label.startswith("untrained"),
        "setup": {
            **_protocol(study, first, system.sizes["clip"]),
            "embedding_dim": stored[first].sizes["feature"],
            "head_permutations": next(iter(study.heads.values()))["spec"]["permutations"]
            if study.heads
            else None,
        },
        **blocks[first],
        "encoders": {name: _told(study, name, blocks) for name in study.encoders},
        "controls": {
            name: _told(study, name, blocks) for name in study.names[len(study.encoders) :]
        },
        "artefact": _artefact(study, judged, system),
    }
    frames = {
        "filmstrip": films(system, stores.read(clips)),
        "ladder": _frames.ladder(study),
        "predicted": _frames.predicted(study),
        "layers": _frames.layers(study),
        "skill": _frames.skill(study),
        "spatial": _frames.spatial(study),
        "eigenvalues": _frames.eigenvalues(study),
    }
    results.write_text(table, _frames.table(frames).to_csv(index=False, float_format="%.7g"))
    sheet = fit_results.figure(frames, heading(content))
    _write(figure, _axes.png(sheet))
    results.write_text(summary, _summary.text(content, judged["claims"]))
    results.write(
        metrics,
        schema="fit",
        spec=entry,
        rows=_metrics.rows(study),
        provenance=job.provenance(
            code,
            {
                "simulation": stores.digest(simulation),
                "clips": stores.digest(clips),
                **{path.name: _hash(path) for path in (*probes, *koopman, *heads, falsification)},
            },
            encoders={name: _origin(store.attrs) for name, store in stored.items()},
        ),
        **content,
    )
    score = content["alpha_probe_sim"]["test_r2"]
    job.done(f"{study.name}: R2 of alpha {score:.3f} from {first} ({label}), {len(frames)} panels")


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
    """Write the same four files as :func:`fit` for systems side by side.

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
        _frames,
        fit_comparison,
    )

    entry, judged = json.loads(spec), results.read(falsification)
    stored = {path.parent.stem: stores.read(path) for path in embeddings}
    labels = {name: store.attrs["label"] for name, store in stored.items()}
    name = metrics.parent.name
    decoded, moved = results.by_folder(probes), results.by_folder(koopman)

    def study(folder: str) -> _frames.Study:
        return _frames.Study(
            name=folder,
            encoders=tuple(entry["encoders"]),
            controls=tuple(entry["controls"]),
            labels=labels,
            probes=decoded.get(folder, {}),
            koopman=moved.get(folder, {}),
        )

    fields = {path.parents[1].name: stores.read(path) for path in simulation}
    pairs = [fields[system] for system in entry["systems"]]
    comparison = _comparison.Comparison(
        together=study(name),
        systems={system: study(system) for system in entry["systems"]},
        parameters={system: study(system) for system in entry["parameters"]},
        equations={system: inputs.equation(store) for system, store in fields.items()},
        units={system: _units(store) for system, store in fields.items()},
    )
    together = comparison.together
    blocks = {each: _comparison.blocks(comparison, each, judged) for each in together.names}
    first = together.encoders[0]
    content = {
        "study": name,
        "label": labels[first],
        "untrained": labels[first].startswith("untrained"),
        "equations": {system: comparison.equations[system] for system in entry["systems"]},
        "setup": {
            **_protocol(together, first, sum(store.sizes["clip"] for store in pairs)),
            "embedding_dim": stored[first].sizes["feature"],
            **_published_setup(together, first),
        },
        **blocks[first],
        "encoders": {each: _told(together, each, blocks) for each in together.encoders},
        "controls": {each: _told(together, each, blocks) for each in together.controls},
    }
    videos = [stores.read(path) for path in clips]
    frames = {
        "counterparts": _comparison.films(
            [comparison.equations[system] for system in entry["systems"]],
            [inputs.counterparts(store) for store in pairs],
            videos[0].time.values,
            lambda place, clip: stores.values(videos[place], "video", clip=clip),
        ),
        **_comparison.frames(comparison),
    }
    results.write_text(table, _frames.table(frames).to_csv(index=False, float_format="%.7g"))
    _write(figure, _axes.png(fit_comparison.figure(frames, heading(content))))
    results.write_text(summary, _comparison_summary.text(content, judged["claims"]))
    results.write(
        metrics,
        schema="comparison",
        spec=entry,
        rows=judged["rows"],
        provenance=job.provenance(
            code,
            {str(Path(*path.parts[-3:])): _hash(path) for path in (*probes, *koopman)},
            encoders={each: _origin(store.attrs) for each, store in stored.items()},
        ),
        **content,
    )
    told = content["equation_classification"]["sim_mean_test"]["accuracy"]
    job.done(f"{name}: accuracy {told:.3f} from {first} ({labels[first]}), {len(frames)} panels")


def learning(*, tables: list[Path], out: Path, code: str = "by hand", threads: int = 1) -> None:
    """Draw how recipes trained: one by itself, or several beside each other.

    Parameters
    ----------
    tables : list of Path
        ``training.csv`` of each recipe, in a folder that is named for it.
    out : Path
        The figure.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    from physprobe.report import _axes
    from physprobe.report import learning as drawn

    _write(out, _axes.png(drawn.figure(_trainings(tables))))
    job.done(f"{out}: {len(tables)} recipe{'s' * (len(tables) > 1)}")


def gate(*, result: Path, out: Path, code: str = "by hand", threads: int = 1) -> None:
    """Draw a trained encoder beside its twins with random weights, target by target.

    Parameters
    ----------
    result : Path
        ``gates/{gate}.json``.
    out : Path
        The figure.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    from physprobe.report import _axes
    from physprobe.report import gate as drawn

    found = results.read(result)
    _write(out, _axes.png(drawn.figure(drawn.frame(found))))
    job.done(f"{out}: {'passed' if found['passed'] else 'not passed'}")


def transfer(*, result: Path, out: Path, code: str = "by hand", threads: int = 1) -> None:
    """Draw transferred probes beside ordinary folds on the same clips.

    Parameters
    ----------
    result : Path
        ``transfers/{transfer}.json``.
    out : Path
        The figure.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    from physprobe.report import _axes
    from physprobe.report import transfer as drawn

    found = results.read(result)
    _write(out, _axes.png(drawn.figure(drawn.frame(found))))
    job.done(f"{out}: {len(found['labels'])} encoders and controls")


def layerwise(
    *,
    result: Path,
    published: Path,
    figure: Path,
    table: Path,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Draw scores layer by layer, and write the numbers that are drawn.

    Parameters
    ----------
    result : Path
        ``{figure}.json`` of a layerwise entry.
    published : Path
        Published scores by layer (YAML).
    figure, table : Path
        What is written.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    import yaml

    from physprobe.report import _axes
    from physprobe.report import layerwise as drawn

    frame = drawn.frame(results.read(result), yaml.safe_load(published.read_text()))
    _write(figure, _axes.png(drawn.figure(frame)))
    results.write_text(table, frame.to_csv(index=False, float_format="%.7g"))
    job.done(f"{figure}: {frame['variable'].nunique()} panels, {len(frame)} lines")


def calibration(*, result: Path, out: Path, code: str = "by hand", threads: int = 1) -> None:
    """Draw how often tests reject noise, and how often intervals hold the truth.

    Parameters
    ----------
    result : Path
        ``calibration.json``.
    out : Path
        The figure.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    from physprobe.report import _axes
    from physprobe.report import calibration as drawn

    found = results.read(result)
    _write(out, _axes.png(drawn.figure(drawn.frame(found))))
    job.done(f"{out}: {len(found['rows'])} rates")


def page(
    *,
    metrics: list[Path],
    tables: list[Path],
    falsifications: list[Path],
    clips: list[Path],
    comparisons: list[Path],
    comparison_tables: list[Path],
    comparison_falsifications: list[Path],
    comparison_clips: list[Path],
    transfers: list[Path],
    calibrations: list[Path],
    gates: list[Path],
    trainings: list[Path],
    published: Path,
    template: Path,
    out: Path,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Write ``report.html``: one self-contained page of all studies.

    Parameters
    ----------
    metrics, tables, falsifications, clips : list of Path
        ``fit_metrics.json``, ``fit_results.csv``, ``pixel_falsification_metrics.json`` of every
        study and the clips of its system, in the same order.
    comparisons, comparison_tables, comparison_falsifications : list of Path
        ``fit_metrics.json``, ``fit_results.csv``, ``falsification_metrics.json`` of every
        comparison.
    comparison_clips : list of Path
        Clips of the comparisons' systems, each once.
    transfers, calibrations : list of Path
        ``transfers/{transfer}.json`` and ``calibration.json``, as far as they are asked for.
    gates, trainings : list of Path
        ``{encoder}/gate.json`` and ``{encoder}/trials/{recipe}/training.csv`` of what ships.
    published : Path
        Published numbers (YAML).
    template : Path
        Of the page.
    out : Path
        The page.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    from physprobe.report import _page, fit_comparison, fit_results

    studies = [
        _page.Material(
            results.read(numbers),
            results.read(judged),
            _page.frames(table, [stores.read(video)], fit_results.PANELS, "filmstrip"),
        )
        for numbers, judged, table, video in zip(
            metrics, falsifications, tables, clips, strict=True
        )
    ]
    filmed = {path.parents[1].name: path for path in comparison_clips}
    sides = []
    for numbers, judged, table in zip(
        comparisons, comparison_falsifications, comparison_tables, strict=True
    ):
        fit = results.read(numbers)
        videos = [stores.read(filmed[system]) for system in fit["spec"]["systems"]]
        frames = _page.frames(table, videos, fit_comparison.PANELS, "counterparts")
        sides.append(_page.Material(fit, results.read(judged), frames))
    shipped = _page.Shipped(
        {path.parent.name: results.read(path) for path in gates}, _trainings(trainings)
    )
    asked = {
        name: {path.stem: results.read(path) for path in paths}
        for name, paths in {"transfers": transfers, "calibrations": calibrations}.items()
    }
    text = _page.html(studies, sides, asked, shipped, published, template, code)
    results.write_text(out, text)
    shown = f"{len(studies)} studies, {len(sides)} comparisons"
    job.done(f"{out}: {shown}, {job.megabytes(out):.1f} MB")


def films(system: object, clips: object) -> object:
    """Frame of the film strip, if the system has a diffusivity."""
    from physprobe.report import _frames

    def video(clip: int) -> np.ndarray:
        return stores.values(clips, "video", clip=clip)

    return _frames.filmstrip(system[_frames.TARGET].values, clips.time.values, video)


def heading(content: dict) -> str:
    """What a study's sheet is headed with; random weights are named there."""
    text = f"{content['study']}: {content['setup']['n_total']} clips"
    if content["untrained"]:
        encoder = content["setup"]["encoder"]
        text += f"; {encoder} is untrained (random weights): every score of it is a null"
    return text


def _trainings(tables: list[Path]) -> object:
    """Tables ``{recipe}/training.csv``, one below the other."""
    import pandas as pd

    frames = [pd.read_csv(path).assign(recipe=path.parent.name) for path in tables]
    return pd.concat(frames) if frames else pd.DataFrame()


def _protocol(study: object, first: str, total: int) -> dict:
    """How many clips there are, how they are split, and how many draws scores rest on."""
    block, protocol = study.probes[first]["predictions"], study.probes[first]["spec"]
    folds = len(set(block["fold"]))
    held = round(len(block["clip"]) / folds)
    return {
        "encoder": first,
        "n_total": total,
        "n_train": total - held,
        "n_test": held,
        "n_held_out": len(block["clip"]),
        "outer_folds": folds,
        "permutations": protocol["permutations"],
        "bootstraps": protocol["bootstraps"],
        "shuffles": study.koopman[first]["spec"]["shuffles"],
    }


def _published_setup(study: object, first: str) -> dict:
    """What the published comparisons say of themselves besides."""
    protocol, held = study.probes[first]["spec"], study.probes[first]["predictions"]
    return {
        "seed": protocol["seed"],
        "test_ratio": 1 / len(set(held["fold"])),
        "ridge_lambda": protocol["penalties"],
        "koopman_latent_dim": study.koopman[first]["published"]["latent_dim"],
    }


def _units(system: object) -> dict[str, str]:
    return {str(name): system[name].attrs.get("units", "1") for name in system.variables}


def _told(study: object, name: str, blocks: dict) -> dict:
    label = study.labels[name]
    return {"label": label, "untrained": label.startswith("untrained"), **blocks[name]}


def _artefact(study: object, judged: dict, system: object) -> dict | None:
    """Stable and unstable clips apart, where the solver can be unstable."""
    from physprobe.report import _metrics

    if "stable" not in system:
        return None
    stable = np.asarray(system["stable"].values, bool)
    name = system.attrs["field"]
    last = (stores.values(system, name, clip=clip, time=-1) for clip in range(len(stable)))
    exploded = np.array([np.abs(field).max() > EXPLODED for field in last])
    return _metrics.artefact(study, judged, stable, exploded)


def _origin(attrs: dict) -> dict:
    keys = ("label", "hf_repo", "revision", "weights_hash", "device", "dtype", "code", "digest")
    return {key: attrs.get(key) for key in keys}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _write(out: Path, content: bytes) -> None:
    """Write bytes by temp file and rename."""
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{out.name}.part")
    temporary.write_bytes(content)
    temporary.replace(out)
