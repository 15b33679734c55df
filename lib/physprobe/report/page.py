"""Page: all studies as one self-contained HTML file."""

from pathlib import Path

from physprobe.store import files, log, results, zarrs


def run(
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
    layerwise_tables: list[Path],
    multiverses: list[Path],
    places: list[Path],
    surveys: list[Path],
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
    transfers, layerwise_tables, multiverses, places, surveys, calibrations : list of Path
        ``transfers/{transfer}.json``, ``{layerwise}/{figure}.csv``,
        ``{multiverse}/multiverse.json``, ``{system}/local/{encoder}.json``,
        ``discovery/metrics.json`` and ``calibration.json``, as far as they are asked for.
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
    from physprobe.report import _page, drawing, fit_comparison, fit_results, learning

    studies = [
        _page.Material(
            results.read(numbers, "fit"),
            results.read(judged, "falsification"),
            _page.frames(table, [zarrs.read(video)], fit_results.PANELS, "filmstrip"),
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
        fit = results.read(numbers, "comparison")
        videos = [zarrs.read(filmed[system]) for system in fit["spec"]["systems"]]
        frames = _page.frames(table, videos, fit_comparison.PANELS, "counterparts")
        sides.append(_page.Material(fit, results.read(judged, "falsification"), frames))
    shipped = _page.Shipped(
        {path.parent.name: results.read(path, "gate") for path in gates},
        learning.frame(*(drawing.content(path, learning) for path in trainings)),
    )
    asked = {
        "transfers": {path.stem: results.read(path, "transfer") for path in transfers},
        "layerwise_tables": {
            f"{path.parent.name}-{path.stem}": files.read_table(
                path, ["item", "variable"], dtype={"layer": str}
            )
            for path in layerwise_tables
        },
        "multiverses": {path.parent.name: results.read(path, "multiverse") for path in multiverses},
        "places": {f"{p.parents[1].name}-{p.stem}": results.read(p, "local") for p in places},
        "surveys": {path.stem: results.read(path, "survey") for path in surveys},
        "calibrations": {path.stem: results.read(path, "calibration") for path in calibrations},
    }
    text = _page.html(studies, sides, asked, shipped, published, template, code)
    files.write_text(out, text)
    shown = f"{len(studies)} studies, {len(sides)} comparisons"
    log.done(f"{out}: {shown}, {log.megabytes(out):.1f} MB")
