"""Schema: what ``config.yaml`` may say, for editors that check it."""

from pathlib import Path

from physprobe.config import model
from physprobe.store import files


def run(*, out: Path = Path("workflow/config.schema.json")) -> None:
    """Write the JSON schema that editors use to check ``config.yaml``.

    Parameters
    ----------
    out : Path
        Where it goes.
    """
    files.write_text(out, model.schema())
