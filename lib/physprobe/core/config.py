"""Config: ``config.yaml`` as one validated model; an entry's fields are its kind's ``Spec``."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from physprobe.core import config_files, files, kinds, nulls, problems, targets
from physprobe.core.config_files import ConfigError, Content
from physprobe.core.kinds import any_spec
from physprobe.core.sections import (
    Calibration,
    Comparison,
    Discovery,
    Gate,
    Layerwise,
    Local,
    Multiverse,
    Study,
    Transfer,
)
from physprobe.core.spec import Spec
from physprobe.core.system import Name, System


class Config(Spec):
    """Everything that ``config.yaml`` may say."""

    systems: dict[Name, System]
    """Physical worlds: results/{system}/."""
    recipes: dict[Name, any_spec("train")] = Field(default_factory=dict)
    """How encoders of our own are trained: results/encoders/{recipe}/, for ``model`` to name."""
    encoders: dict[Name, any_spec("embed")]
    """Frozen encoders under test."""
    controls: dict[Name, any_spec("embed")] = Field(default_factory=dict)
    """Twins and trivial statistics that could refute an encoder's score."""
    probes: dict[Name, any_spec("probe")]
    """What decodes labels from embeddings."""
    koopman: dict[Name, any_spec("koopman")]
    """Models of the embedding's dynamics."""
    discovery: Discovery = Field(default_factory=Discovery)
    """Laws from clips alone: results/{system}/discovery/{source}.json, results/discovery/."""
    studies: dict[Name, Study]
    """What belongs together: results/{study}/fit_metrics.json and its kin."""
    comparisons: dict[Name, Comparison] = Field(default_factory=dict)
    """Systems side by side: results/{comparison}/probes/{encoder}.{probe}.json."""
    calibration: Calibration | None = None
    """Rates of the tests on noise, of the intervals on planted truth; on the page if it is here."""
    transfers: dict[Name, Transfer] = Field(default_factory=dict)
    """Probes put to the test elsewhere: results/transfers/{transfer}.json and its figure."""
    layerwise: dict[Name, Layerwise] = Field(default_factory=dict)
    """Scores layer by layer: results/{entry}/{figure}.json and .png."""
    multiverses: dict[Name, Multiverse] = Field(default_factory=dict)
    """Probes fitted in every defensible way: results/{multiverse}/multiverse.json and .png."""
    local: dict[Name, Local] = Field(default_factory=dict)
    """By system, where in the image a label is: results/{system}/local/{encoder}.json and .png."""
    gates: dict[Name, Gate] = Field(default_factory=dict)
    """Comparisons with random weights: results/gates/{gate}.json."""

    @model_validator(mode="after")
    def _sections_fit(self) -> "Config":
        both = set(self.encoders) & set(self.controls)
        if both:
            raise ValueError(
                f"{', '.join(sorted(both))}: an encoder and a control need different names."
            )
        for name, study in self.studies.items():
            where = f"studies.{name}"
            self._evidence_fits(where, study, {study.system: study.probe})
            if study.head:
                _known(f"{where}.head", study.head, self.koopman)
                self._tokens_fit(where, study)
        for name, comparison in self.comparisons.items():
            where = f"comparisons.{name}"
            self._evidence_fits(where, comparison, comparison.parameters)
            for system in comparison.systems:
                _known(f"{where}.systems", system, self.systems)
                for entry in (*comparison.encoders, *comparison.controls):
                    self._frames_fit(where, system, entry)
            if name in {**self.systems, **self.studies}:
                raise ValueError(
                    f"{where}: a comparison needs a name that no system and no study has."
                )
            if self.probes[comparison.probe].targets != ("equation",):
                raise ValueError(
                    f"{where}.probe: {comparison.probe} has to tell equations apart."
                    f" Hint: set probes.{comparison.probe}.targets: [equation]."
                )
        for name, transfer in self.transfers.items():
            self._transfer_fits(f"transfers.{name}", transfer)
        for entry in self.discovery.systems:
            _known("discovery.systems", entry, self.systems)
        for entry in self.discovery.sources:
            _known("discovery.sources", entry, dict.fromkeys(self.with_grid()))
        for name, entry in self.layerwise.items():
            self._curves_fit(f"layerwise.{name}", entry)
        for name, entry in self.multiverses.items():
            self._multiverse_fits(f"multiverses.{name}", entry)
        for name, entry in self.local.items():
            self._local_fits(f"local.{name}", name, entry)
        for name, gate in self.gates.items():
            where = f"gates.{name}"
            _known(f"{where}.encoder", gate.encoder, self.encoders)
            for entry in gate.random:
                _known(f"{where}.random", entry, self.controls)
            for system, probe in gate.probes.items():
                _known(f"{where}.probes", system, self.systems)
                _known(f"{where}.probes.{system}", probe, self.probes)
                self._labels_fit(f"{where}.probes.{system}", system, probe)
                for entry in (gate.encoder, *gate.random):
                    self._frames_fit(where, system, entry)
        return self

    def embedding(self, name: str) -> Spec:
        """Spec of an encoder or a control."""
        return self.encoders[name] if name in self.encoders else self.controls[name]

    def with_tokens(self, study: Study) -> list[str]:
        """Encoders of a study that keep the spatial tokens that its head needs."""
        if not study.head:
            return []
        layer = self.koopman[study.head].layer
        return [n for n in study.encoders if layer in getattr(self.encoders[n], "tokens", ())]

    def _evidence_fits(
        self, where: str, asked: Study | Comparison, systems: Mapping[str, str]
    ) -> None:
        """Everything that a study or a comparison names is there, and goes together."""
        self._embeddings_fit(where, asked, systems)
        _known(f"{where}.koopman", asked.koopman, self.koopman)
        for name, claim in asked.claims.items():
            for entry in claim.encoders:
                _known(f"{where}.claims.{name}.encoders", entry, dict.fromkeys(asked.encoders))
            for key in ("system", "against"):
                if system := getattr(claim, key, ""):
                    known = dict.fromkeys((*systems, *getattr(asked, "systems", ())))
                    _known(f"{where}.claims.{name}.{key}", system, known)
            self._draws_suffice(f"{where}.claims.{name}", claim, asked, systems)

    def _draws_suffice(
        self, where: str, claim: Spec, asked: Study | Comparison, systems: Mapping[str, str]
    ) -> None:
        """The draws of the null that a claim's p comes from can bring it below the level."""
        if claim.P_OF is None:
            return
        part, field = claim.P_OF
        name = getattr(asked, part, None)
        if part == "probe":
            name = systems.get(claim.system, name)
        section = "probes" if part == "probe" else "koopman"
        draws = getattr(getattr(self, section).get(name), field, None)
        if draws is not None and draws < nulls.FEWEST:
            raise ValueError(_too_few(where, f"{section}.{name}.{field}", draws))

    def _embeddings_fit(
        self, where: str, asked: Study | Comparison | Transfer, systems: Mapping[str, str]
    ) -> None:
        """Encoders, controls and probes are there, and can do what is asked of each system."""
        _known(f"{where}.probe", asked.probe, self.probes)
        for entry in asked.encoders:
            _known(f"{where}.encoders", entry, self.encoders)
        for entry in asked.controls:
            _known(f"{where}.controls", entry, self.controls)
        for system, probe in systems.items():
            _known(f"{where}.system", system, self.systems)
            _known(f"{where}.probe", probe, self.probes)
            self._labels_fit(f"{where}.probe", system, probe)
            for entry in (*asked.encoders, *asked.controls):
                self._frames_fit(where, system, entry)

    def _transfer_fits(self, where: str, transfer: Transfer) -> None:
        if not transfer.onto and not transfer.region:
            raise ValueError(
                f"{where}: nothing to transfer to. Hint: name a system as onto, or a region of"
                " labels to hold out, or both."
            )
        self._embeddings_fit(where, transfer, {transfer.system: transfer.probe})
        kind = self.probes[transfer.probe].kind
        if kind != "ridge":
            raise ValueError(f"{where}.probe: {transfer.probe} is of kind {kind}, not ridge.")
        own = self.systems[transfer.system]
        labels = kinds.load("simulate", own.simulate.kind).UNITS
        for label in transfer.region:
            _known(f"{where}.region", label, labels)
        if transfer.onto:
            _known(f"{where}.onto", transfer.onto, self.systems)
            other = self.systems[transfer.onto]
            if other.simulate != own.simulate:
                fields = _differing(own.simulate, other.simulate)
                raise ValueError(
                    f"{where}.onto: {transfer.onto} and {transfer.system} simulate different clips"
                    f" ({', '.join(fields)}). Hint: give both the same simulate entry."
                )
            if other.render == own.render:
                raise ValueError(
                    f"{where}.onto: {transfer.onto} and {transfer.system} are rendered alike."
                    f" Hint: set another systems.{transfer.onto}.render."
                )

    def with_grid(self) -> list[str]:
        """What a law can be read off: the field, the video, and whatever keeps its spatial grid."""
        layer = self.discovery.method.layer
        grids = [
            name
            for name, spec in (*self.encoders.items(), *self.controls.items())
            if layer in getattr(spec, "tokens", ())
            or (spec.kind == "pixels" and spec.tubelet_frames == "mean")
        ]
        return ["field", "video", *grids]

    def _labels_fit(self, where: str, system: str, probe: str) -> None:
        kind = self.systems[system].simulate.kind
        module = kinds.load("simulate", kind)
        labels = (*module.UNITS, *module.CLASSES)
        for target in self.probes[probe].targets:
            _decodable(f"{where}: {probe}", target, kind, labels)
        if by := getattr(self.probes[probe], "by", None):
            _known(f"probes.{probe}.by, on {system}", by, labels)

    def _curves_fit(self, where: str, entry: Layerwise) -> None:
        for encoder in entry.encoders:
            _known(f"{where}.encoders", encoder, self.encoders)
        for control in entry.controls:
            _known(f"{where}.controls", control, self.controls)
        for figure, panels in entry.figures.items():
            for panel, curve in panels.items():
                here = f"{where}.figures.{figure}.{panel}"
                _known(f"{here}.system", curve.system, self.systems)
                _known(f"{here}.probe", curve.probe, self.probes)
                probe = self.probes[curve.probe]
                if probe.of_classes == (curve.metric == "r2"):
                    what = "classes, which have no" if probe.of_classes else "numbers, not"
                    raise ValueError(f"{here}.metric: {curve.probe} is of {what} {curve.metric}.")
                if curve.part and not getattr(probe, "by", None):
                    raise ValueError(
                        f"{here}.part: {curve.probe} scores nothing apart."
                        f" Hint: set probes.{curve.probe}.by."
                    )
                for field in ("target", "sample"):
                    _known(f"{here}.{field}", getattr(curve, field), getattr(probe, f"{field}s"))
                self._labels_fit(f"{here}.probe", curve.system, curve.probe)
                for encoder in curve.encoders:
                    _known(f"{here}.encoders", encoder, self.encoders)
                for name in entry.names(curve):
                    self._frames_fit(here, curve.system, name)

    def _multiverse_fits(self, where: str, entry: Multiverse) -> None:
        _known(f"{where}.system", entry.system, self.systems)
        for encoder in entry.encoders:
            _known(f"{where}.encoders", encoder, self.encoders)
        for control in entry.controls:
            _known(f"{where}.controls", control, self.controls)
        for name in (*entry.encoders, *entry.controls):
            self._frames_fit(where, entry.system, name)
        for name, solver in entry.solvers.items():
            if 0 < solver.permutations < nulls.FEWEST:
                field = f"{where}.solvers.{name}.permutations"
                raise ValueError(_too_few(f"{where}.claims", field, solver.permutations))
        kind = self.systems[entry.system].simulate.kind
        labels = tuple(kinds.load("simulate", kind).UNITS)
        for name, claim in entry.claims.items():
            here = f"{where}.claims.{name}"
            if claim.beyond == "controls" and not entry.controls:
                raise ValueError(
                    f"{here}: no control to beat. Hint: name some in {where}.controls."
                )
            for target in claim.targets:
                _decodable(f"{here}.targets: it", target, kind, labels)

    def _local_fits(self, where: str, system: str, entry: Local) -> None:
        _known("local", system, self.systems)
        kind = self.systems[system].simulate.kind
        module = kinds.load("simulate", kind)
        if module.FIELD != "scene":
            raise ValueError(f"{where}: {kind} has no ball. Hint: take a system of balls.")
        for target in entry.probe.targets:
            _decodable(f"{where}.probe: it", target, kind, tuple(module.UNITS))
        for name in entry.encoders:
            _known(f"{where}.encoders", name, {**self.encoders, **self.controls})
            spec = self.embedding(name)
            if entry.layer not in getattr(spec, "tokens", ()):
                raise ValueError(
                    f"{where}.encoders: {name} keeps no spatial tokens of layer {entry.layer!r}."
                    f" Hint: set tokens: [{entry.layer}] there."
                )
            if spec.preprocess != "resize":
                raise ValueError(
                    f"{where}.encoders: {name} cuts the image's edges off, so its patches are none"
                    " of the whole image. Hint: set preprocess: resize there."
                )
            self._frames_fit(where, system, name)

    def _frames_fit(self, where: str, system: str, name: str) -> None:
        frames = self.systems[system].simulate.frames
        spec = self.embedding(name)
        tubelet = kinds.load("embed", spec.kind).tubelet(spec)
        if tubelet and frames % tubelet:
            raise ValueError(
                f"{where}: {system} has {frames} frames, which {name} can't cut into"
                f" tubelets of {tubelet}. Hint: set systems.{system}.simulate.frames to a"
                f" multiple of {tubelet}."
            )

    def _tokens_fit(self, where: str, study: Study) -> None:
        first = study.encoders[0]
        if first not in self.with_tokens(study):
            layer = self.koopman[study.head].layer
            raise ValueError(
                f"{where}.head: {study.head} needs the spatial tokens of layer {layer!r}."
                f" Hint: set encoders.{first}.tokens: [{layer!r}]."
            )


def load(content: Content | Mapping) -> Config:
    """Config from what the config files say.

    Parameters
    ----------
    content : Content, or mapping
        Of ``config_files.gather``; or plain mappings, of which no file is known.

    Raises
    ------
    ConfigError
        If anything in it is wrong: file and line, path, what was found, what would be right.
    """
    if not isinstance(content, Content):
        content = Content(dict(content))
    try:
        return Config.strict(content.values)
    except ValidationError as error:
        found = list(problems.explain(error, Config))
    lines = [
        f"{place}: {line}" if (place := content.place(path)) else line
        for path, text in found
        for line in problems.told([(path, text)])
    ]
    raise ConfigError("the config can't be used:\n  " + "\n  ".join(dict.fromkeys(lines)))


def read(path: Path) -> Config:
    """Config from a YAML file."""
    return load(config_files.read(path))


def _known(where: str, name: str, section: Collection[str]) -> None:
    if name not in section:
        raise ValueError(
            f"{where}: found {name!r}.{problems.nearest(name, section)}"
            f" Known: {', '.join(section)}."
        )


def _too_few(where: str, field: str, found: int) -> str:
    return (
        f"{where}: needs p below {nulls.LEVEL}, which {field}: {found} can't bring."
        f" Hint: set it to {nulls.FEWEST} or more."
    )


def _decodable(who: str, target: str, kind: str, labels: Collection[str]) -> None:
    if not targets.labels_of(target, labels):
        raise ValueError(
            f"{who} asks for target {target!r}, but {kind} has"
            f" the labels {', '.join(labels)}.{problems.nearest(target, labels)}"
        )


def _differing(one: Spec, other: Spec) -> list[str]:
    """Fields of two specs that are not the same."""
    first, second = one.dump(), other.dump()
    if first["kind"] != second["kind"]:
        return ["kind"]
    return [field for field in first if first[field] != second[field]]


def schema() -> str:
    """JSON schema of ``config.yaml``, for editors."""
    return json.dumps(Config.model_json_schema(), indent=1) + "\n"


def write_schema(*, out: Path = Path("workflow/config.schema.json")) -> None:
    """Write the JSON schema that editors use to check ``config.yaml``.

    Parameters
    ----------
    out : Path
        Where it goes.
    """
    files.write_text(out, schema())
