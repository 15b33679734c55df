"""Fit's commands."""

from typing import Any

from physprobe.config.layout import STORES
from physprobe.config.stages import STORE, Command, Stage
from physprobe.embed.commands import checkpoint


def _inputs(config: Any, asked: Any) -> dict[str, list[str]]:
    """Embeddings, or what a law is read off instead, simulations and films of a fit's systems.

    Raises
    ------
    ValueError
        If the method can't be fitted to the source.
    """
    config.check_fit(asked.place, asked.source, asked.method)
    folders = [f"results/{system}" for system in config.designs()[asked.place][1]]
    store = STORES.get(asked.source, f"embeddings/{asked.source}")
    return {
        "embeddings": [f"{folder}/{store}.zarr/{STORE}" for folder in folders],
        "simulation": [f"{folder}/simulation.zarr/{STORE}" for folder in folders],
        "clips": [
            f"{folder}/clips.zarr/{STORE}"
            for folder in folders
            if config.methods[asked.method].FILMED
        ]
        + [
            f"results/{system}/clips.zarr/{STORE}"
            for system in [config.methods[asked.method].films]
            if system
        ],
        "predictor": _predictor(config, asked),
        "abroad": [
            f"results/{system}/clips.zarr/{STORE}"
            for system in [config.methods[asked.method].also]
            if system
        ],
    }


def _predictor(config: Any, asked: Any) -> list[str]:
    """Files of the encoder, for a method that runs it or what was trained beside it."""
    if not _runs(config.methods[asked.method]):
        return []
    models = config.embedding(asked.source).checkpoints
    return [file for model in models for file in checkpoint(config, model)]


def _runs(method: Any) -> bool:
    """Whether a method runs the encoder itself, or its predictor."""
    return method.ROLLS or method.ANYWHERE


def _first(config: Any, asked: Any) -> dict[str, str]:
    """Embedding by a study's first encoder."""
    study = config.studies[asked.study]
    folder = f"results/{study.filmed[0]}"
    return {
        "embeddings": f"{folder}/embeddings/{study.encoders[0]}.zarr/{STORE}",
        "simulation": f"{folder}/simulation.zarr/{STORE}",
    }


def _kinds(config: Any, asked: Any) -> list[str]:
    design, _ = config.designs()[asked.place]
    method = config.methods[asked.method]
    runs = []
    if _runs(method):
        entry = config.embedding(asked.source)
        runs = [f"embed.{entry.kind}", *entry.modules]
    if method.MOVES or method.ANYWHERE:
        for name in config.designs()[asked.place][1]:
            system = config.systems[name]
            runs += [f"simulate.{system.simulate.kind}", f"render.{system.render.kind}"]
    return [f"fit.methods.{method.kind}", f"fit.designs.{design.kind}", *dict.fromkeys(runs)]


STAGE = Stage(
    {
        "fit": Command(
            entry=lambda config, asked: config.methods[asked.method],
            inputs=_inputs,
            kinds=_kinds,
            params={
                "design": lambda config, asked: config.designs()[asked.place][0].canonical(),
            },
        ),
        "weights": Command(
            "stage:weights",
            entry=lambda config, asked: config.methods[asked.method],
            inputs=_first,
            kinds=lambda config, asked: [
                f"fit.methods.{config.methods[asked.method].kind}",
                "fit.designs.plain",
            ],
        ),
    },
    wildcards={
        "method": lambda config: config.methods,
        "place": lambda config: config.designs(),
        "source": lambda config: (*STORES, *config.embeddings),
    },
)
