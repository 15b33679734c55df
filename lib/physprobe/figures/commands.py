"""Figures' commands."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from physprobe.config import kinds
from physprobe.config.installation import packaged
from physprobe.config.stages import STORE, Command, Figure, Stage
from physprobe.falsify.commands import evidence


class _Asked:
    """Wildcards that name a study."""

    def __init__(self, study: str):
        self.study = study


def _of_evidence(config: Any) -> Iterator[tuple[str, Figure]]:
    """Figures of each study of one system, or of several together, by what it fits."""
    for name, study in config.studies.items():
        roles = {config.methods[method].ROLE for method in study.methods}
        abroad = any(config.methods[method].also for method in study.methods)
        clean = any(config.methods[method].films for method in study.methods)
        design = study.design.kind
        if len(study.filmed) > 1 and study.design.SHARED:
            continue
        shares = any(_share(config, encoder) < 1 for encoder in study.encoders)
        dots = any(_is_dot(config.systems[system]) for system in study.filmed)
        known = {kind: kinds.outline("figures", kind) for kind in kinds.names("figures")}
        for kind, drawn in sorted(known.items(), key=lambda item: not item[1].FILMS):
            there = {*drawn.NEEDS} <= roles and (abroad or not drawn.ABROAD)
            there = there and not (dots and drawn.FILMS)
            there &= drawn.FIELD is None or {drawn.FIELD} == {
                kinds.load("simulate", config.systems[system].simulate.kind).FIELD
                for system in study.filmed
            }
            there &= shares or not drawn.SHARES
            there &= "decoder" not in drawn.NEEDS or clean == drawn.CLEAN
            if drawn.NEEDS and there and design in drawn.DESIGNS:
                yield f"{name}/{kind}", Figure(kind, category=name, study=name)


def _share(config: Any, encoder: str) -> float:
    """Share of the groups of clips that an encoder's recipes are shown; 1 of any other."""
    entry = config.embeddings.get(encoder)  # a law is read off a system itself
    folders = map(Path, entry.checkpoints if entry else ())
    recipes = (
        config.recipes.get(each.name) for each in folders if each.parent == Path("results/encoders")
    )
    return min((recipe.seen_share for recipe in recipes if recipe), default=1.0)


def _is_dot(system: Any) -> bool:
    """Whether a clip is but a few numbers, seen once: there is no picture of it."""
    return system.simulate.frames == 1 and kinds.load("render", system.render.kind).SEEN == "signal"


def _figure(config: Any, asked: Any) -> Figure:
    return config.figures[asked.drawn]


def _inputs(config: Any, asked: Any) -> Mapping[str, list[str]]:
    """Results that a figure is of, or the evidence of its study."""
    figure = _figure(config, asked)
    drawn = kinds.outline("figures", figure.kind)
    beside = [packaged(f"figures/{name}") for name in drawn.BESIDE]
    if not figure.study:
        parts = ("fits", "embeddings", "simulation", "clips")
        return {"sources": [*figure.sources, *beside], **{part: [] for part in parts}}
    systems = config.shown(figure.study) if drawn.FILMS else ()
    films = [f"results/{system}/clips.zarr/{STORE}" for system in systems]
    return {"sources": beside, **evidence(config, _Asked(figure.study)), "clips": films}


class _Film(NamedTuple):
    """What moves of a study that has a figure, drawn from fits by methods of a role."""

    figure: str
    role: str
    caption: str


FILMS = {
    "forecast.mp4": _Film(
        "reconstruction",
        "decoder",
        "Held-out clips as they are, as the encoder's own predictor forecasts them, and as a"
        " decoder draws them from their latents; below, the squared error of the pixels, and the"
        " time since the last frame that the forecast has seen.",
    ),
    "phase.gif": _Film(
        "series",
        "recovery",
        "The first two dimensions of the signal over held-out steps, in grey, and what least"
        " squares reads of them off each encoder's latent one step earlier, in colour.",
    ),
    "langevin.gif": _Film(
        "samples",
        "energy",
        "Points of the mixture, in grey, and in colour points that Langevin dynamics draws by each"
        " encoder's score, from their start on a square to their end.",
    ),
    "similarities.gif": _Film(
        "similarities",
        "spread",
        "Cosines between the embedding of one point of the mixture after the other, marked, and"
        " that of every point of the plane.",
    ),
}


def _filmed(config: Any, asked: Any) -> dict[str, list[str]]:
    """Fits of a study's encoders that a film is of."""
    encoders, role = config.studies[asked.study].encoders, FILMS[asked.film].role
    return {
        "fits": [
            fit.path
            for fit in config.fitted(asked.study)
            if fit.encoder in encoders and role == config.methods[fit.method].ROLE
        ]
    }


def _wanted(config: Any) -> Iterator[str]:
    """Films of the studies that have a figure of the same."""
    for drawn in dict(_of_evidence(config)).values():
        for name, film in FILMS.items():
            if drawn.kind == film.figure:
                yield f"results/{drawn.study}/{name}"


def _entry(config: Any, asked: Any) -> Any:
    """Study of a figure; any other has none."""
    study = _figure(config, asked).study
    return config.studies[study] if study else None


def _caption(config: Any, asked: Any) -> str:
    """Caption of the module that draws a figure, for Snakemake's own report."""
    return kinds.outline("figures", _figure(config, asked).kind).CAPTION.replace("*", r"\*")


STAGE = Stage(
    {
        "figure": Command(
            entry=_entry,
            reads=("system", "systems", "encoders", "controls"),
            inputs=_inputs,
            kinds=lambda config, asked: [f"figures.{_figure(config, asked).kind}"],
            params={
                "kind": lambda config, asked: _figure(config, asked).kind,
                "claims": lambda config, asked: " ".join(_figure(config, asked).claims),
                "category": lambda config, asked: _figure(config, asked).category,
                "caption": _caption,
            },
        ),
        "film": Command(
            "_films:run",
            inputs=_filmed,
            params={"caption": lambda config, asked: FILMS[asked.film].caption},
        ),
    },
    wildcards={"drawn": lambda config: config.figures, "film": lambda config: FILMS},
    figures=lambda config: dict(_of_evidence(config)),
    wanted=_wanted,
)
