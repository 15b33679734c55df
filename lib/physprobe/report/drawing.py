"""Drawing: one result as a figure of its own."""

from pathlib import Path

from physprobe.config import kinds
from physprobe.store import files, log, results


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

    drawn = kinds.load("report", "learning")
    files.write_bytes(out, _axes.png(drawn.figure(drawn.table(tables))))
    log.done(f"{out}: {len(tables)} recipe{'s' * (len(tables) > 1)}")


def figure(*, kind: str, result: Path, out: Path, code: str = "by hand", threads: int = 1) -> None:
    """Draw one result by itself.

    Parameters
    ----------
    kind : str
        Module that draws it, such as ``gate``, ``transfer`` or ``confusion``.
    result : Path
        What is drawn.
    out : Path
        The figure.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    from physprobe.report import _axes

    drawn = kinds.load("report", kind)
    if not hasattr(drawn, "READS"):
        alone = [
            name for name in kinds.names("report") if hasattr(kinds.load("report", name), "READS")
        ]
        raise ValueError(f"{kind} draws no result by itself. Hint: {', '.join(alone)} do.")
    files.write_bytes(out, _axes.png(drawn.figure(drawn.frame(results.read(result, drawn.READS)))))
    log.done(f"{out}: {drawn.TITLE}")


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
    from physprobe.report import _axes

    drawn = kinds.load("report", "layerwise")
    frame = drawn.frame(results.read(result, drawn.READS), files.read_yaml(published))
    files.write_bytes(figure, _axes.png(drawn.figure(frame)))
    files.write_text(table, frame.to_csv(index=False, float_format="%.7g"))
    log.done(f"{figure}: {frame['variable'].nunique()} panels, {len(frame)} lines")
