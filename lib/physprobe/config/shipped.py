"""Shipped: trained encoders of the package, named ``physprobe/{name}``.

What they consist of is known by hash, in ``encoders/SHA256SUMS``. After a change, in ``encoders``:
``sha256sum */config.json */model.safetensors */preprocessor_config.json > SHA256SUMS``.
"""

import hashlib
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
ENCODERS = PACKAGE / "encoders"
OWNER = "physprobe"
TABLE = "SHA256SUMS"
FILES = ("config.json", "model.safetensors", "preprocessor_config.json")
"""What an encoder is read from; card and curves beside it are for people."""


def names() -> list[str]:
    """Encoders that ship."""
    return sorted(path.parent.name for path in ENCODERS.glob(f"*/{FILES[0]}"))


def folder(model: str) -> Path | None:
    """Folder of a checkpoint on this machine: one that ships, or a local one; None if neither.

    ``physprobe/{name}`` is what ships, whatever lies in the working directory.
    """
    owner, _, name = model.partition("/")
    if owner == OWNER and name in names():
        return ENCODERS / name
    return Path(model) if Path(model).is_dir() else None


def known(model: str) -> str:
    """Give a checkpoint's name back, unless it is one that would ship with the package and doesn't.

    Raises
    ------
    ValueError
        If nothing ships, or lies here, under a name that begins with ``physprobe/``.
    """
    if model.startswith(f"{OWNER}/") and folder(model) is None:
        those = ", ".join(f"{OWNER}/{name}" for name in names())
        raise ValueError(f"no such encoder ships with this package. Hint: these do: {those}")
    return model


def faults(*encoders: str) -> list[str]:
    """What is wrong with the files of encoders that ship, a line each; empty if nothing is.

    Parameters
    ----------
    *encoders : str
        Names without ``physprobe/``; without any, all of them.
    """
    table = ENCODERS / TABLE
    try:
        lines = [line.split(maxsplit=1) for line in table.read_text().splitlines()]
        known = {name.strip().removeprefix("*"): digest for digest, name in lines}
    except (OSError, ValueError) as error:
        return [f"{table}: can't be read ({error}). Hint: install the package again."]
    found = []
    for encoder in encoders or sorted({*names(), *(name.split("/")[0] for name in known)}):
        for file in FILES:
            line = _fault(ENCODERS / encoder / file, known.get(f"{encoder}/{file}"))
            found += [f"{line} Hint: install the package again."] if line else []
    return found


def _fault(file: Path, expected: str | None) -> str | None:
    if expected is None:
        return f"{file}: {TABLE} has no hash of it."
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return f"{file}: can't be read ({error.strerror})."
    if digest == expected:
        return None
    return f"{file}: found sha256 {digest[:16]}, but {expected[:16]} was shipped."
