"""Train's command."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from physprobe.config import shipped
from physprobe.config.installation import packaged
from physprobe.config.stages import STORE, Command, Figure, Stage
from physprobe.embed.commands import checkpoint


def _inputs(config: Any, asked: Any) -> dict[str, str | list[str]]:
    """Encoders that a recipe starts from, stores that it reads, and the template of its card."""
    entry = config.recipes[asked.recipe]
    ancestors = (checkpoint(config, model) for model in entry.ancestors)
    stores = {
        name: [f"results/{entry.source}/{name}.zarr/{STORE}"] if entry.source else []
        for name in ("clips", "simulation")
    }
    return {"ancestors": [*chain(*ancestors)], **stores, "card": packaged(f"train/{entry.CARD}")}


def _kinds(config: Any, asked: Any) -> Iterator[str]:
    """A recipe, and the worlds that its clips come from."""
    entry = config.recipes[asked.recipe]
    yield f"train.{entry.kind}"
    for system in entry.worlds:
        yield f"simulate.{system.simulate.kind}"
        yield f"render.{system.render.kind}"
    if entry.source:  # its kind knows which axes are periodic
        yield f"simulate.{config.systems[entry.source].simulate.kind}"


def _files(config: Any, asked: Any) -> str:
    """Digests of files that its clips are read from, if they are."""
    worlds = config.recipes[asked.recipe].worlds
    return " ".join(filter(None, (system.simulate.listing() for system in worlds)))


def _figures(config: Any) -> dict[str, Figure]:
    """How each recipe learnt, all of them beside each other, and which members have collapsed."""
    tables = {name: f"results/encoders/{name}/training.csv" for name in config.recipes}
    shown = {
        **{f"encoders/{name}/learning": (table,) for name, table in tables.items()},
        "encoders/learning": tuple(tables.values()),
    }
    several = tuple(tables[n] for n, entry in config.recipes.items() if len(entry.members) > 1)
    ladder = {"encoders/collapse": Figure("collapse", several, "training")} if several else {}
    return {
        **ladder,
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
            inputs=_inputs,
            kinds=_kinds,
            params={"files": _files},
        ),
        "device": Command("device.stage:run"),  # for people: no rule runs it
    },
    wildcards={"recipe": lambda config: config.recipes},
    figures=_figures,
)
