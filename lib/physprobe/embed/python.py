"""Encoders of the user's own: a function in a file or a package that gives a torch module.

    mine: {kind: python, model: own_encoder.py:build, read: ["blocks.*"], input: b c t h w,
           output: b (t h w) d, tubelet: 2}

What it gives is a ``torch.nn.Module`` whose modules are read, or anything with the method
``encode`` of :class:`physprobe.embed.networks.own.Embeds`. See docs/own_encoder.md.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue

from physprobe.embed import _code, _files
from physprobe.embed._encoder import Encoder
from physprobe.embed._own_settings import Settings


class Spec(Settings):
    """Which function, how what it gives is shown clips, and what is read of it."""

    kind: Literal["python"] = "python"
    """Family."""
    model: str = Field(min_length=1)
    """Function that makes it: path/to/file.py:build, or package.module:build."""
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    """Arguments of the function; those that name files count as ``files`` do."""
    files: tuple[str, ...] = ()
    """Other files that it reads, such as weights: another content, and clips are embedded anew."""

    @property
    def redrawn(self) -> bool:
        """Whether its weights can be drawn: those of a torch module."""
        return bool(self.read)

    @property
    def sees_future(self) -> bool:
        """Whether an embedding follows from later frames; not where each token's are seen alone."""
        alone = self.at_once == self.tubelet and self.frames == "ordered"
        return super().sees_future and not alone

    def listing(self) -> str:
        """Digest of the source, and of other files as can be told without reading them whole."""
        try:
            source = _code.digest(_code.place(self.model))
        except (FileNotFoundError, ValueError):  # a problem of the config, which is told as such
            return ""
        return _joined(source, _files.listing(self._read))

    def content(self) -> str:
        """Digest of the source and of other files."""
        return _joined(_code.digest(_code.place(self.model)), _files.content(self._read))

    @property
    def _read(self) -> list[str]:
        """Files that are named, and those that arguments name."""
        named = (value for value in self.arguments.values() if isinstance(value, str))
        return [*self.files, *(name for name in named if Path(name).is_file())]


def _joined(*digests: str) -> str:
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()[:16]


def problems(spec: Spec) -> Iterator[str]:
    """No such file or function; nothing is run for it."""
    try:
        _code.modules(_code.place(spec.model))
    except (FileNotFoundError, ValueError) as error:
        yield str(error)
    yield from _files.problems(spec.files)


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return spec.tubelet


def load(spec: Spec, *, frames: int, height: int, width: int, threads: int) -> Encoder:
    """Run the user's function, and make an encoder of what it gives.

    Random numbers of torch begin at seed 0, so that weights which it draws are always the same.

    Parameters
    ----------
    spec : Spec
        Of several seeds of random weights the first is drawn.
    frames : int
        Frames per clip.
    height, width : int
        Size of a frame [px].
    threads : int
        Threads on a CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such file or module.
    ValueError
        If it can't be run, or gives what can't be read; the message says what was found.
    """
    from physprobe.embed.networks import own

    with _built(spec) as (built, where):
        return own.encoder(
            built, spec, where, frames=frames, height=height, width=width, threads=threads
        )


def listed(
    spec: Spec, *, frames: int, height: int, width: int
) -> tuple[tuple[int, ...], list[tuple[str, str, str]]]:
    """What a torch module is given of a clip, and name, class and output of each that runs.

    Parameters
    ----------
    spec : Spec
        Of which ``read`` and ``output`` don't count.
    frames : int
        Frames of the clip; ``at_once`` of the entry goes before.
    height, width : int
        Size of a frame [px].

    Raises
    ------
    FileNotFoundError, ValueError
        As for :func:`load`.
    """
    from physprobe.embed.networks import own

    with _built(spec) as (built, where):
        return own.listed(built, spec, where, frames=frames, height=height, width=width)


@contextmanager
def _built(spec: Spec) -> "Iterator[tuple[object, str]]":
    """What the user's function makes, and its place for messages."""
    import torch

    there = _code.place(spec.model)
    where = f"{there.file}:{there.name}"
    with _code.imported(there) as build, torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            built = build(**spec.arguments)
        except Exception as error:  # whatever the user's code raises
            raise ValueError(f"{where} raised {type(error).__name__}: {error}.") from error
        yield built, where
