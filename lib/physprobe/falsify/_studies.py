"""Studies: what is asked of which systems, each with its design and its claims."""

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from physprobe.config import kinds
from physprobe.config.kinds import any_spec
from physprobe.config.layout import STORES
from physprobe.config.spec import Spec
from physprobe.config.system import Name
from physprobe.falsify._claim import Claim
from physprobe.fit import entries as fits
from physprobe.fit.section import DESIGNS, Design

if TYPE_CHECKING:

    class AnyDesign(Design):
        """What a type checker knows of every kind of design."""

        kind: str

    AnyClaim = Claim
    Form = str
else:
    AnyDesign, AnyClaim = any_spec(DESIGNS), any_spec("falsify")
    Form = Literal[kinds.names("layouts")]


class Fitted(NamedTuple):
    """One fit: results/{place}/fits/{encoder}.{method}.json."""

    place: str
    encoder: str
    method: str

    @property
    def path(self) -> str:
        """Where it lies."""
        return f"results/{self.place}/fits/{self.encoder}.{self.method}.json"


class Study(Spec):
    """What is asked of which systems: encoders, the controls that could refute them, claims."""

    question: str = ""
    """What it asks, in a sentence or two, for its page."""
    system: Name | None = None
    """System that the study films."""
    systems: tuple[Name, ...] = ()
    """Systems, if it films several."""
    design: AnyDesign = Field(default_factory=lambda: kinds.load(DESIGNS, "plain").Spec())
    """Which clips are fitted, and which are scored; by default every clip is held out in turn."""
    encoders: tuple[Name, ...] = Field(min_length=1)
    """Encoders under test; the first one fills the keys of published layouts."""
    controls: tuple[Name, ...] = ()
    """Entries of ``controls`` that every score is put beside."""
    methods: tuple[Name, ...] = ()
    """Entries of ``methods`` that are fitted to all of them."""
    ordinary: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)
    """Methods by system whose ordinary fits its claims are judged from besides."""
    claims: dict[Name, AnyClaim] = Field(default_factory=dict)
    """Statements with their test and threshold, declared before anything is run."""
    figures: dict[Name, Annotated[tuple[Name, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    """Claims of one kind that share a figure, by its name: results/{study}/{figure}.png; by default
    all of a kind."""
    layouts: tuple[Form, ...] = ()
    """Published forms that it is written in besides, such as ``fit``."""

    @model_validator(mode="after")
    def _filming(self) -> Self:
        if bool(self.system) == bool(self.systems):
            found = "both" if self.system else "neither"
            raise ValueError(f"system or systems is needed, found {found}")
        return self

    @property
    def filmed(self) -> tuple[str, ...]:
        """Its systems."""
        return (self.system,) if self.system else self.systems

    @property
    def names(self) -> tuple[str, ...]:
        """Encoders and controls."""
        return (*self.encoders, *self.controls)

    @property
    def planned(self) -> Design:
        """Its design, aimed at the targets of its claims."""
        targets = [target for claim in self.claims.values() for target in claim.needs().targets]
        return self.design.aimed(tuple(dict.fromkeys(targets)))


class Entries(fits.Entries):
    """What the config says to judge, and from which fits."""

    studies: dict[Name, Study]
    """What belongs together: results/{study}/verdicts.json, its figures, layouts and page."""

    def designs(self) -> dict[str, tuple[Design, tuple[str, ...]]]:
        """Design of every place's fits, and the systems that they are of; systems are places."""
        plain = kinds.load(DESIGNS, "plain").Spec()
        found = {system: (plain, (system,)) for system in self.systems}
        return found | {
            name: (study.planned.shown(self.systems), study.design.fitted(study.filmed))
            for name, study in self.studies.items()
            if not study.design.SHARED
        }

    def able(self, method: str, study: Study) -> list[str]:
        """Encoders and controls that a method can be fitted to; heads are fitted to encoders."""
        spec = self.methods[method]
        names = study.encoders if spec.ROLE == "head" else study.names
        if spec.ROLE != "probe":
            names = tuple(name for name in names if name not in self.ceilings(study))
        return [n for n in names if spec.takes(None if n in STORES else self.embedding(n))]

    def ceilings(self, study: Study) -> tuple[str, ...]:
        """Controls of a study that are no rivals; they tell labels, and nothing else is fitted."""
        return tuple(name for name in study.controls if self.controls[name].ROLE == "ceiling")

    def fitted(self, name: str) -> list[Fitted]:
        """Every fit that a study is judged from."""
        study = self.studies[name]
        return [
            Fitted(place, encoder, method)
            for place, method in self.asked(study, name)
            for encoder in self.able(method, study)
        ]

    def asked(self, study: Study, name: str) -> list[tuple[str, str]]:
        """Places of a study's fits, each with every method that is fitted there."""
        systems = study.design.fitted(study.filmed)
        own = study.filmed if study.design.SHARED else (name,)
        asked = [(place, method) for place in own for method in study.methods]
        asked += [
            (system, method)
            for system in systems
            for method in study.methods
            if self.methods[method].ROLE in study.design.BESIDE
        ]
        asked += [
            (system, method) for system, methods in study.ordinary.items() for method in methods
        ]
        return list(dict.fromkeys(asked))

    def shown(self, name: str) -> tuple[str, ...]:
        """Every system that a study's fits are of."""
        study = self.studies[name]
        return tuple(dict.fromkeys((*study.design.fitted(study.filmed), *study.ordinary)))
