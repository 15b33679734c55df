"""Drawing: results as a figure of their own, beside the numbers that it shows."""

from pathlib import Path
from typing import Any

from physprobe.config import kinds
from physprobe.store import files, log, results


def figure(
    *,
    kind: str,
    sources: list[Path],
    out: Path,
    table: Path,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Draw one result by itself, or several beside each other.

    Parameters
    ----------
    kind : str
        Module that draws it, such as ``gate``, ``transfer`` or ``confusion``.
    sources : list of Path
        What is drawn: results (JSON), tables of training (CSV), published numbers (YAML).
    out : Path
        The figure.
    table : Path
        What it shows, as numbers.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    from physprobe.report import _axes

    drawn = kinds.load("report", kind)
    if not drawn.READS:
        alone = [name for name in kinds.names("report") if kinds.load("report", name).READS]
        raise ValueError(f"{kind} draws no result by itself. Hint: {', '.join(alone)} do.")
    frame = drawn.frame(*(content(path, drawn) for path in sources))
    files.write_bytes(out, _axes.png(drawn.figure(frame)))
    files.write_text(table, frame.to_csv(index=False, float_format="%.7g"))
    log.done(f"{out}: {drawn.TITLE}, {len(frame)} lines")


def content(path: Path, drawn: Any) -> Any:
    """Content of a file as the module that draws it takes it."""
    if path.suffix == ".csv":
        return files.read_table(path, drawn.COLUMNS).assign(recipe=path.parent.name)
    return files.read_yaml(path) if path.suffix == ".yaml" else results.read(path, drawn.READS)
