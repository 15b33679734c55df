"""Report: verdicts and figures as one self-contained HTML file."""

from pathlib import Path

from physprobe.store import files, job, log, results


def run(
    *,
    verdicts: list[Path],
    figures: list[Path],
    layouts: list[Path],
    published: Path,
    template: Path,
    out: Path,
) -> None:
    """Write ``report.html``: one page of studies, which begins with their verdicts.

    Parameters
    ----------
    verdicts : list of Path
        ``{study}/verdicts.json`` of every study.
    figures : list of Path
        ``{study}/{figure}.png`` with title and caption, and ``.svg``, and those of no study; the
        page shows one of the two, and links to both and to the table beside them.
    layouts : list of Path
        ``{study}/fit_metrics.json`` of the studies that have one.
    published : Path
        Published numbers (YAML).
    template : Path
        Of the page.
    out : Path
        The page.
    """
    from physprobe.report import _page

    judged = {path.absolute().parent.name: results.read(path, "verdicts") for path in verdicts}
    filled = {path.absolute().parent.name: results.read(path) for path in layouts}
    code, place = job.current().code, out.absolute().parent
    text = _page.html(judged, figures, filled, published, template, code, place)
    files.write_text(out, text)
    log.done(f"{out}: {len(judged)} studies, {len(figures)} pictures, {log.megabytes(out):.1f} MB")
