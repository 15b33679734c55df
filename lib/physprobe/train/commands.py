"""Train's command."""

from collections.abc import Iterator
from typing import Any

from physprobe.config.stages import Command, Stage
from physprobe.embed.commands import checkpoint


def _kinds(config: Any, asked: Any) -> Iterator[str]:
    """A recipe, and the worlds that its clips come from."""
    entry = config.recipes[asked.recipe]
    yield f"train.{entry.kind}"
    for system in entry.systems.values():
        yield f"simulate.{system.simulate.kind}"
        yield f"render.{system.render.kind}"


STAGE = Stage(
    {
        "train": Command(
            entry=lambda config, asked: config.recipes[asked.recipe],
            inputs=lambda config, asked: {
                "ancestor": checkpoint(config, config.recipes[asked.recipe].grown_from)
            },
            kinds=_kinds,
        )
    },
    wildcards={"recipe": lambda config: config.recipes},
)
