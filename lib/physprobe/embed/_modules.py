"""Modules: what a torch module of the user's own is made of, and what its modules give."""

import sys

from physprobe.config.spec import entry
from physprobe.embed import python
from physprobe.store import log


def run(
    model: str = "",
    *,
    frames: int = 16,
    height: int = 64,
    width: int = 64,
    spec: str = "{}",
) -> None:
    """List the modules of a torch module of your own, and what each gives for a clip of noise.

    Parameters
    ----------
    model : str
        Function that makes it: path/to/file.py:build, or package.module:build.
    frames : int
        Frames of the clip.
    height, width : int
        Size of a frame [px].
    spec : str
        JSON of further fields of an entry of kind ``python``, such as {"input": "b t c h w"}; by
        default frames are shown as b c t h w.

    Raises
    ------
    ValueError
        If there is no such function, or what it makes can't be run.
    """
    if not model:
        raise ValueError("modules: whose? Hint: python -m physprobe modules path/to/file.py:build")
    filled = {"read": ["*"], "input": "b c t h w", "output": "b d", **entry(spec), "model": model}
    own = python.Spec.of_entry(filled)
    given, lines = python.listed(own, frames=frames, height=height, width=width)
    sys.stdout.write(log.table([("module", "", "gives"), *lines]))
    log.done(f"{model}: given {given} ({own.input}). Modules that aren't listed don't run")
