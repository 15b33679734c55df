"""Train's command."""

from collections.abc import Iterator
from typing import Any

from physprobe.config import shipped
from physprobe.config.shipped import packaged
from physprobe.config.stages import Command, Figure, Stage
from physprobe.embed.commands import checkpoint


def _kinds(config: Any, asked: Any) -> Iterator[str]:
    """A recipe, and the worlds that its clips come from."""
    entry = config.recipes[asked.recipe]
    yield f"train.{entry.kind}"
    for system in entry.systems.values():
        yield f"simulate.{system.simulate.kind}"
        yield f"render.{system.render.kind}"


def _figures(config: Any) -> dict[str, Figure]:
    """How each recipe learnt, and all of them beside each other."""
    tables = {name: f"results/encoders/{name}/training.csv" for name in config.recipes}
    shown = {
        **{f"encoders/{name}/learning": (table,) for name, table in tables.items()},
        "encoders/learning": tuple(tables.values()),
    }
    return {
        **{path: Figure("learning", found, "training") for path, found in shown.items() if found},
        **_shipped(),
    }


def _shipped() -> dict[str, Figure]:
    """What encoders that ship learnt beyond random weights, and all trials beside each other."""
    judged = {
        path.parent.name: packaged(path) for path in shipped.ENCODERS.glob("**/verdicts.json")
    }
    trials = tuple(map(packaged, sorted(shipped.ENCODERS.glob("**/training.csv"))))
    return {
        **{
            f"encoders/shipped/{name}": Figure("above_random", (path,), "encoders")
            for name, path in sorted(judged.items())
        },
        "encoders/shipped/trials": Figure("learning", trials, "encoders"),
    }


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
    figures=_figures,
)
