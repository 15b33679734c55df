"""System: a physical world and the way it is filmed, as studies and training streams name it."""

from typing import Annotated

from pydantic import Field

from physprobe.core.kinds import any_spec
from physprobe.core.spec import Spec

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""Name of a config entry; it becomes a path."""


class System(Spec):
    """A physical world and the way it is filmed."""

    simulate: any_spec("simulate")
    """Equation, grid, and the draws of each clip's parameters."""
    render: any_spec("render")
    """From field to video."""
