"""Falsify's commands."""

from collections.abc import Iterator
from typing import Any

from physprobe.config.stages import STORE, Command, Figure, Stage


def evidence(config: Any, asked: Any) -> dict[str, list[str] | str]:
    """Everything that a study's scores are read from."""
    study = config.studies[asked.study]
    folder = f"results/{study.system}"
    names, spatial = [*study.encoders, *study.controls], config.with_tokens(study)
    return {
        "probes": [f"{folder}/fits/{name}.{study.probe}.json" for name in names],
        "koopman": [f"{folder}/fits/{name}.{study.koopman}.json" for name in names],
        "heads": [f"{folder}/fits/{name}.{study.head}.json" for name in spatial],
        "embeddings": [f"{folder}/embeddings/{name}.zarr/{STORE}" for name in names],
        "simulation": f"{folder}/simulation.zarr/{STORE}",
    }


def contrasted(config: Any, asked: Any) -> dict[str, list[str]]:
    """Everything that a comparison's scores are read from."""
    name, entry = asked.comparison, config.comparisons[asked.comparison]
    encoders = [*entry.encoders, *entry.controls]
    shown = dict.fromkeys((*entry.systems, *entry.parameters))
    return {
        "probes": [
            f"results/{folder}/fits/{encoder}.{probe}.json"
            for folder, probe in {name: entry.probe, **entry.parameters}.items()
            for encoder in encoders
        ],
        "koopman": [
            f"results/{folder}/fits/{encoder}.{entry.koopman}.json"
            for folder in (name, *entry.systems)
            for encoder in encoders
        ],
        "embeddings": [
            f"results/{entry.systems[0]}/embeddings/{encoder}.zarr/{STORE}" for encoder in encoders
        ],
        "simulation": [f"results/{system}/simulation.zarr/{STORE}" for system in shown],
    }


def _gated(config: Any, asked: Any) -> dict[str, list[str]]:
    """Fits of a gate's encoders on all of its systems."""
    gate = config.gates[asked.gate]
    return {
        "probes": [
            f"results/{system}/fits/{name}.{probe}.json"
            for system, probe in gate.probes.items()
            for name in (gate.encoder, *gate.random)
        ]
    }


def _transferred(config: Any, asked: Any) -> dict[str, list[str]]:
    """Fits of a transfer's encoders and controls, and the ordinary ones of its systems."""
    entry = config.transfers[asked.transfer]
    files = [f"{name}.{entry.probe}.json" for name in (*entry.encoders, *entry.controls)]
    return {
        "transferred": [f"results/{asked.transfer}/fits/{file}" for file in files],
        "ordinary": [f"results/{system}/fits/{file}" for system in entry.fitted for file in files],
    }


def _wanted(config: Any) -> Iterator[str]:
    for name, study in config.studies.items():
        yield f"results/{study.system}/preview.mp4"
        if study.head:
            yield f"results/{name}/{study.head}.safetensors"
    for name in config.transfers:
        yield f"results/transfers/{name}.png"
    for name in config.gates:
        yield f"results/gates/{name}.png"


def _figures(config: Any) -> dict[str, Figure]:
    return {
        f"gates/{name}": Figure("gate", (f"results/gates/{name}.json",), "training")
        for name in config.gates
    } | {
        f"transfers/{name}": Figure("transfer", (f"results/transfers/{name}.json",), "transfers")
        for name in config.transfers
    }


STAGE = Stage(
    {
        "falsify": Command(
            entry=lambda config, asked: config.studies[asked.study],
            model="falsify.Study",
            inputs=evidence,
            kinds=lambda config, asked: [
                f"falsify.{claim.kind}" for claim in config.studies[asked.study].claims.values()
            ],
        ),
        "compare": Command(
            "stage:compare",
            entry=lambda config, asked: config.comparisons[asked.comparison],
            model="falsify.Comparison",
            inputs=contrasted,
            kinds=lambda config, asked: [
                f"falsify.{claim.kind}"
                for claim in config.comparisons[asked.comparison].claims.values()
            ],
        ),
        "gate": Command(
            "stage:gate",
            entry=lambda config, asked: config.gates[asked.gate],
            model="falsify.Gate",
            inputs=_gated,
        ),
        "transfer": Command(
            "stage:transfer",
            entry=lambda config, asked: config.transfers[asked.transfer],
            model="falsify.Transfer",
            inputs=_transferred,
        ),
    },
    wildcards={
        "study": lambda config: config.studies,
        "comparison": lambda config: config.comparisons,
        "gate": lambda config: config.gates,
        "transfer": lambda config: config.transfers,
    },
    figures=_figures,
    wanted=_wanted,
)
