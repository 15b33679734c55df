"""Evidence: a study's fits, by encoder and control, and the stores that they were read off."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from physprobe.statistics import nulls, splits, targets
from physprobe.statistics.splits import Fold
from physprobe.store import inputs, results, zarrs
from physprobe.store.fits import Decoded, Fits

if TYPE_CHECKING:
    from xarray import Dataset

ROLES = {
    "probe": "probes", "state": "states", "recovery": "recoveries",
    "energy": "energies", "spread": "spreads",
    "rollout": "rollouts", "surprise": "surprises", "decoder": "decoders",
    "dynamics": "koopman", "head": "heads", "places": "places", "law": "laws",
    "counts": "counts", "shares": "counts", "readout": "counts",
}  # fmt: skip
"""Fields of the evidence by schema of a fit; those of ``every_way`` are kept by method."""
CEILING = "ceiling"
"""Role of an embedding that is no rival, as its store has it."""


@dataclass(frozen=True)
class Evidence:
    """What a claim, a figure or a layout of a study is read from: the fits of one place.

    A place is a system, whose ordinary fits all studies share, or a study with a design of its own.
    """

    encoders: tuple[str, ...]
    controls: tuple[str, ...]
    labels: dict[str, str]
    """What each embedding is, for people; random weights say ``untrained``."""
    ceilings: tuple[str, ...] = ()
    """What none of them can pass by physics alone: no rivals, so not among the controls."""
    probes: Fits = field(default_factory=Fits)
    states: Fits = field(default_factory=Fits)
    recoveries: Fits = field(default_factory=Fits)
    energies: Fits = field(default_factory=Fits)
    spreads: Fits = field(default_factory=Fits)
    rollouts: Fits = field(default_factory=Fits)
    surprises: Fits = field(default_factory=Fits)
    decoders: Fits = field(default_factory=Fits)
    koopman: Fits = field(default_factory=Fits)
    heads: Fits = field(default_factory=Fits)
    places: Fits = field(default_factory=Fits)
    laws: Fits = field(default_factory=Fits)
    counts: Fits = field(default_factory=Fits)
    ways: Mapping[str, Fits] = field(default_factory=dict)
    """Fits in every way by method."""
    specs: Mapping[str, Mapping] = field(default_factory=dict)
    """Entry of the config that each embedding was made by: its kind, and what it is."""
    bootstraps: int = 2000
    study: str = ""
    place: str = ""
    fits: Mapping[str, Mapping[str, Fits]] = field(default_factory=dict)
    """All of the study's fits, by place and method."""
    simulations: "Mapping[str, Dataset]" = field(default_factory=dict)
    embeddings: "dict[tuple[str, str], Dataset]" = field(default_factory=dict)
    """By system and encoder."""
    clips: "Mapping[str, Dataset]" = field(default_factory=dict)
    """Films by system, where they were asked for."""

    @property
    def names(self) -> tuple[str, ...]:
        """Encoders first, then controls, in the order of the study; no ceilings."""
        return (*self.encoders, *self.controls)

    @property
    def scored(self) -> tuple[str, ...]:
        """All whose probes are scored: encoders, controls, and ceilings last."""
        return (*self.names, *self.ceilings)

    def role(self, name: str) -> str:
        """What an embedding is in the study: ``encoder``, ``control`` or ``ceiling``."""
        if name in self.encoders:
            return "encoder"
        return CEILING if name in self.ceilings else "control"

    def at(self, place: str = "", method: str = "") -> "Evidence":
        """The fits of one place, by one method where it has several of a role; no name: as here."""
        place = place or self.place
        parts: dict[str, Fits] = {part: Fits() for part in ROLES.values()}
        ways = {}
        for name, found in self.fits.get(place, {}).items():
            schema = results.sort(results.first(found))
            if schema == "every_way":
                ways[name] = found
            elif name == method or not parts[ROLES[schema]]:
                parts[ROLES[schema]] = found
        draws = [each["spec"]["bootstraps"] for each in [*parts["probes"].values()][:1]]
        here: dict[str, Any] = {**parts, "place": place, "ways": ways}
        return replace(self, **here, bootstraps=[*draws, self.bootstraps][0])

    def each(self, role: str) -> dict[str, Fits]:
        """All of the place's fits of one role, by the method that they are by."""
        found = self.fits.get(self.place, {})
        return {
            name: fits for name, fits in found.items() if results.sort(results.first(fits)) == role
        }

    @property
    def in_time(self) -> "Evidence":
        """The same with probes of states, which vary in time, in the place of those of labels."""
        return replace(self, probes=self.states)

    @property
    def system(self) -> "Dataset":
        """Simulation of the place's system.

        Raises
        ------
        ValueError
            If the place's fits are of several.
        """
        if self.place not in self.simulations and len(self.simulations) != 1:
            raise ValueError(f"{self.study}: {self.place} is of several systems. Hint: name one.")
        return self.simulations.get(self.place, next(iter(self.simulations.values())))

    @cached_property
    def folds(self) -> tuple[np.ndarray, tuple[Fold, ...]]:
        """Groups (clip,) and folds of the place's clips, as its probes have them."""
        protocol = results.first(self.probes)["spec"]
        return splits.declared_by(
            self.system,
            outer=protocol["outer"],
            inner=protocol["inner"],
            seed=protocol["seed"],
            grouping=protocol.get("grouping", "clip"),
        )

    def features(self, name: str) -> np.ndarray:
        """(clip, time, feature) of an embedding's last layer; of the first network of several."""
        store = inputs.of_first_member(self.embeddings[self.place, name])
        return zarrs.values(store, "pooled", layer=-1).astype(np.float64)

    @property
    def origins(self) -> dict[str, dict]:
        """Where every embedding comes from."""
        keys = ("label", "hf_repo", "revision", "weights_hash", "device", "dtype", "code", "digest")
        return {
            name: {key: store.attrs.get(key) for key in keys}
            for (_, name), store in reversed(self.embeddings.items())
        }

    def networks(self, name: str) -> int:
        """How many networks an embedding is of; none of what has no weights.

        Members, and where each draw of a system has a network of its own as many times that.
        """
        stores = [store for (_, each), store in self.embeddings.items() if each == name]
        if not stores or not stores[0].attrs.get("weights_hash"):
            return 0
        each = (stores[0].attrs.get("architecture") or {}).get("networks", 1)
        return int(stores[0].sizes.get("member", 1)) * each

    def learnt(self, name: str) -> dict:
        """Sizes of a network that a recipe trained, and by which, on how many clips and groups.

        Nothing of what wasn't trained, or doesn't see frames as they were trained on, in order.
        """
        for (_, each), store in self.embeddings.items():
            ordered = store.attrs.get("spec", {}).get("frames", "ordered") == "ordered"
            if each == name and ordered:
                found = store.attrs.get("architecture") or {}
                return dict(found) if found.get("recipe") else {}
        return {}

    @property
    def pixels(self) -> list[str]:
        """Controls that are pixels themselves, not their principal components."""
        return [name for name in self.of_kind("pixels") if not self.specs[name].get("components")]

    @property
    def together(self) -> list[str]:
        """Systems that the place's probes are fitted to."""
        return results.first(self.probes)["systems"]

    @property
    def sides(self) -> dict[str, "Evidence"]:
        """Other places whose own labels are decoded, with their evidence."""
        found = {place: self.at(place) for place in self.fits if place != self.place}
        return {place: side for place, side in found.items() if side.probes}

    def equation(self, system: str) -> str:
        """Equation that a system's clips obey."""
        return inputs.equation(self.simulations[system])

    @cached_property
    def units(self) -> dict[str, str]:
        """Unit of everything that the place's system has."""
        system = self.system
        return {str(name): system[name].attrs.get("units", "1") for name in system.variables}

    @property
    def target(self) -> str:
        """What the study's figures are of: the first target of its probe."""
        return results.first(self.probes)["spec"]["targets"][0]

    @property
    def asked(self) -> dict:
        """Columns that say what is decoded, and how it is scored."""
        rows = [r for r in results.first(self.probes)["rows"] if r["target"] == self.target]
        metric = "accuracy" if any(r["metric"] == "accuracy" for r in rows) else "r2"
        unit = targets.unit(self.target, self.units)
        return {"target": self.target, "unit": unit, "metric": metric}

    def of_kind(self, *kinds: str) -> list[str]:
        """Controls of some kinds, kind by kind."""
        return [
            name for kind in kinds for name in self.controls if self.specs[name]["kind"] == kind
        ]

    def decoded(self, names: tuple[str, ...], target: str, sample: str) -> dict[str, Decoded]:
        """How well probes decode a target, of those for which it is defined."""
        found = {name: self.probes.decoded(name, target, sample) for name in names}
        return {name: score for name, score in found.items() if score is not None}

    def shuffled_null(self, name: str, horizon: int) -> dict:
        """95th percentile and p of skill against persistence, or a note; of time-shuffled fits."""
        *_, layer = self.koopman[name]["forecast"]
        where = {"metric": "skill", "order": 1, "baseline": "persistence", "horizon": horizon}
        row = self.koopman.row(name, layer=layer, **where)
        null = {key: row[key] if row else None for key in ("null_q95", "p")}
        return null | {"note": nulls.undefined_p(row)}


def read(
    study: Mapping,
    name: str,
    fits: Iterable[Path],
    embeddings: Iterable[Path],
    simulation: Iterable[Path],
    clips: Iterable[Path] = (),
) -> Evidence:
    """Evidence of a study.

    Parameters
    ----------
    study : mapping
        ``encoders`` and ``controls`` by name, and the systems that it films.
    name : str
        Of the study.
    fits : iterable of Path
        Results ``{place}/fits/{encoder}.{method}.json``.
    embeddings, simulation, clips : iterable of Path
        Root ``zarr.json`` of the stores ``{system}/...``.

    Raises
    ------
    ValueError
        If a fit was read off other stores than these.
    """
    sides = {path.absolute().parents[1].name: zarrs.read(path) for path in simulation}
    films = {path.absolute().parents[1].name: path for path in clips}
    stored = {}
    for path in embeddings:
        system = path.absolute().parents[2].name
        stored[system, path.parent.stem] = zarrs.joined(zarrs.read(path), sides[system])
    sorted_: dict[str, dict[str, list[Path]]] = {}
    for path in fits:
        place, method = path.absolute().parents[1].name, path.stem.partition(".")[2]
        sorted_.setdefault(place, {}).setdefault(method, []).append(path)
    found = {
        place: {method: Fits.read(paths) for method, paths in methods.items()}
        for place, methods in sorted_.items()
    }
    for place, methods in found.items():
        for of_method in methods.values():
            for encoder, result in of_method.items():
                _check(place, encoder, result, sides, stored)
    known = {encoder: store.attrs for (_, encoder), store in reversed(stored.items())}
    systems = [system for system in (study["system"], *study["systems"]) if system]
    place = name if name in found else systems[0]
    ceilings = {each for each, attrs in known.items() if attrs.get("role") == CEILING}
    whole = Evidence(
        encoders=tuple(study["encoders"]),
        controls=tuple(each for each in study["controls"] if each not in ceilings),
        ceilings=tuple(each for each in study["controls"] if each in ceilings),
        labels={each: attrs["label"] for each, attrs in known.items()},
        specs={each: attrs["spec"] for each, attrs in known.items()},
        study=name,
        place=place,
        fits=found,
        simulations=sides,
        embeddings=stored,
        clips={
            system: zarrs.joined(zarrs.read(path), sides[system]) for system, path in films.items()
        },
    )
    return whole.at(place)


def _check(
    place: str,
    encoder: str,
    result: Mapping,
    sides: "Mapping[str, Dataset]",
    stored: "Mapping[tuple[str, str], Dataset]",
) -> None:
    """Refuse a result that was read off other stores than those beside it."""
    known = result["provenance"]["inputs"]
    systems = result["systems"]
    for number, system in enumerate(systems):
        more = f" {number}" if len(systems) > 1 else ""
        beside = {f"simulation{more}": sides.get(system)}
        beside[f"embeddings{more}"] = stored.get((system, encoder))
        there = {key: store for key, store in beside.items() if store is not None and key in known}
        inputs.check_origin(f"{place}/{encoder}", result, **there)
