"""Layouts' command: every form is a rule of its own."""

from collections.abc import Iterator
from typing import Any

from physprobe.config import kinds
from physprobe.config.stages import STORE, Command, Stage
from physprobe.falsify.commands import evidence


def _inputs(config: Any, asked: Any) -> dict[str, list[str] | str]:
    """A study's evidence and verdicts, and its films."""
    systems = config.shown(asked.study)
    return {
        **evidence(config, asked),
        "clips": [f"results/{system}/clips.zarr/{STORE}" for system in systems],
        "verdicts": f"results/{asked.study}/verdicts.json",
    }


def forms(config: Any) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Every form, a pattern of the studies that ask for it, and its files."""
    for form in kinds.names("layouts"):
        asking = [name for name, study in config.studies.items() if form in study.layouts]
        yield form, "|".join(asking) or "none", kinds.outline("layouts", form).FILES


def _wanted(config: Any) -> Iterator[str]:
    for name, study in config.studies.items():
        for form in study.layouts:
            yield from (f"results/{name}/{file}" for file in kinds.outline("layouts", form).FILES)
        for method in study.methods:
            if config.methods[method].ROLE == "head":
                yield f"results/{name}/{method}.safetensors"


STAGE = Stage(
    {
        "layout": Command(
            entry=lambda config, asked: config.studies[asked.study],
            reads=("system", "systems", "encoders", "controls"),
            model="falsify.Study",
            inputs=_inputs,
        )
    },
    wanted=_wanted,
)
