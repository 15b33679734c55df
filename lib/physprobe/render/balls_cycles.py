"""Balls by paths of light: the scenes of kind ``balls``, through Blender's Cycles.

The same balls, floor, light and camera, with what an analytic ray-caster leaves out: the sky that a
ball hides from the floor, and light that goes on from one to the other. It checks the other one,
and is a hundred times as slow. The gloss of the balls is Beckmann's lobe of the same height and
width as Blinn's.

Blender is no dependency: it comes as the wheel ``bpy``, and runs in processes of its own.
"""

import importlib.util
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec as Base
from physprobe.render import _blender
from physprobe.scenes import scene

DRAWS = ("scene",)

# Its wheel asks for NumPy 1, which only its sound needs.
INSTALL = "python -m pip install --no-deps bpy==5.0.1"


class Spec(Base):
    """Balls on a floor, by Blender's Cycles: how many paths of light; all else is in the scene."""

    kind: Literal["balls_cycles"] = "balls_cycles"
    """Balls on a floor by Blender's Cycles, which has to be installed."""
    samples: int = Field(16, ge=1, le=4096)
    """Paths per pixel; also what edges are smoothed by."""
    bounces: int = Field(2, ge=0, le=16)
    """Times that light goes on from what it meets; 0: straight from the light or the sky."""
    seed: int = Field(0, ge=0, lt=2**31)
    """Of the paths; the same seed gives the same frames."""


def frames(spec: Spec, field: np.ndarray) -> np.ndarray:
    """Frames of one clip.

    Parameters
    ----------
    spec : Spec
    field : (time, quantity)
        A scene, as ``scene`` describes it.

    Returns
    -------
    (time, y, x, rgb) uint8

    Raises
    ------
    ModuleNotFoundError
        If Blender is not installed; the message says how to.
    RuntimeError
        If Blender ends before it has drawn the clip.
    ValueError
        If it is no scene, or a frame is not finite; the message names it.
    """
    rows = scene.rows(np.asarray(field))
    if importlib.util.find_spec("bpy") is None:
        raise ModuleNotFoundError(
            "kind balls_cycles draws with Blender, which is not installed."
            f" Hint: {INSTALL} (374 MB, Python 3.11), or kind balls, which needs nothing."
        )
    try:
        drawn = _processes().submit(_blender.film, rows, spec.samples, spec.bounces, spec.seed)
        return drawn.result()
    except BrokenProcessPool:
        _processes.cache_clear()
        raise RuntimeError(
            "Blender ended before it had drawn the clip. Hint: it may want libraries or memory that"
            " this machine lacks; python -c 'import bpy' tells what is missing."
        ) from None


@cache
def _processes() -> ProcessPoolExecutor:
    """As many processes as clips are drawn at a time; each starts when it is first needed."""
    return ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn"))
