"""Choices: lists of settings in a model's spec whose order means something."""

from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field


def _ascend(values: tuple) -> tuple:
    if not all(low < high for low, high in pairwise(values)):
        raise ValueError(f"{', '.join(f'{value:g}' for value in values)}: expected to ascend")
    return values


Ascending = AfterValidator(_ascend)
"""Of a list that has to ascend."""
Penalties = Annotated[
    tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...],
    Field(min_length=1),
    AfterValidator(_ascend),
]
"""Ridge penalties to choose from; of two that do as well the later one is the simpler model."""
PENALTIES = tuple(10.0**power for power in range(-6, 7))
"""Those of most methods."""
Horizons = Annotated[
    tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1), AfterValidator(_ascend)
]
"""Steps ahead that are scored, each once."""
