"""Falsify's commands."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from physprobe.config import kinds
from physprobe.config.stages import STORE, Command, Figure, Stage

if TYPE_CHECKING:
    from physprobe.falsify._declared import Plan


def evidence(config: Any, asked: Any) -> dict[str, list[str]]:
    """Everything that a study's scores are read from."""
    fits, study = config.fitted(asked.study), config.studies[asked.study]
    systems = config.shown(asked.study)
    stores = dict.fromkeys(
        f"results/{system}/embeddings/{encoder}.zarr/{STORE}"
        for fit in fits
        for system in ((fit.place,) if fit.place in config.systems else systems)
        for encoder in (fit.encoder,)
        if encoder in study.names and encoder in config.embeddings
    )
    return {
        "fits": [fit.path for fit in fits],
        "embeddings": list(stores),
        "simulation": [f"results/{system}/simulation.zarr/{STORE}" for system in systems],
    }


def _judged(config: Any, asked: Any) -> dict[str, list[str] | str]:
    """A study's evidence, and its plan."""
    return {**evidence(config, asked), "plan": f"results/{asked.study}/plan.json"}


def _plan(config: Any, asked: Any) -> "Plan":
    """A study's plan."""
    from physprobe.falsify import _declared

    return _declared.plan(config, asked.study)


def _fits(config: Any, asked: Any) -> list[str]:
    """Fits of encoders under test that claims are judged from."""
    claims = _plan(config, asked).evidence.values()
    return list(dict.fromkeys(fit for fits in claims for fit in fits))


def _kinds(config: Any, asked: Any) -> list[str]:
    claims = config.studies[asked.study].claims.values()
    return [f"falsify.{claim.kind}" for claim in claims]


def figures(config: Any) -> Iterator[tuple[str, Figure]]:
    """Figures of a study's claims: those that it names, and one of each kind that it doesn't."""
    for name, study in config.studies.items():
        source = (f"results/{name}/verdicts.json",)
        if study.claims:
            yield f"{name}/verdicts", Figure("verdicts", source, name)
        shown = {claim for claims in study.figures.values() for claim in claims}
        for figure, claims in study.figures.items():
            (kind, *_) = kinds.outline("falsify", study.claims[claims[0]].kind).FIGURES
            yield f"{name}/{figure}", Figure(kind, source, name, claims)
        left = [claim for claim in study.claims if claim not in shown]
        for sort in dict.fromkeys(study.claims[claim].kind for claim in left):
            mine = tuple(claim for claim in left if study.claims[claim].kind == sort)
            for kind in kinds.outline("falsify", sort).FIGURES:
                yield f"{name}/{kind}", Figure(kind, source, name, mine)


def _wanted(config: Any) -> Iterator[str]:
    for study in config.studies.values():
        yield from (f"results/{system}/preview.mp4" for system in study.filmed)


STAGE = Stage(
    {
        "falsify": Command(
            entry=lambda config, asked: config.studies[asked.study],
            reads=(
                "question",
                "system",
                "systems",
                "design",
                "encoders",
                "controls",
                "methods",
                "ordinary",
                "claims",
            ),
            model="falsify.Study",
            inputs=_judged,
            kinds=_kinds,
        ),
        "plan": Command("_plan:run"),  # for people: no rule runs it
        "freeze": Command(
            "_frozen:run",
            entry=_plan,
            params={"fits": _fits},
        ),
    },
    wildcards={"study": lambda config: config.studies},
    figures=lambda config: dict(figures(config)),
    wanted=_wanted,
)
