"""Shipped: trained encoders that come with the package, named ``physprobe/{name}``."""

from pathlib import Path

ENCODERS = Path(__file__).parents[1] / "encoders"


def folder(model: str) -> Path | None:
    """Folder of a checkpoint on this machine: a local one, or one that ships; None if neither."""
    if Path(model).is_dir():
        return Path(model)
    owner, _, name = model.partition("/")
    found = ENCODERS / name
    return found if owner == "physprobe" and "/" not in name and found.is_dir() else None
