"""Config: ``config.yaml`` as one validated model; an entry's fields are its kind's ``Spec``."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError, model_validator

from physprobe.config import checks, config_files, problems
from physprobe.config.config_files import ConfigError, Content
from physprobe.config.kinds import any_spec
from physprobe.config.sections import (
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
from physprobe.config.spec import Spec
from physprobe.config.system import Name, System
from physprobe.store import files


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
    methods: dict[Name, any_spec("fit/methods")]
    """What is fitted to embeddings: probes of labels, models of the dynamics."""
    discovery: Discovery = Field(default_factory=Discovery)
    """Laws from clips alone: results/{system}/discovery/{source}.json, results/discovery/."""
    studies: dict[Name, Study]
    """What belongs together: results/{study}/fit_metrics.json and its kin."""
    comparisons: dict[Name, Comparison] = Field(default_factory=dict)
    """Systems side by side: results/{comparison}/fits/{encoder}.{method}.json."""
    calibration: Calibration | None = None
    """Rates of the tests on noise, of the intervals on planted truth; on the page if it is here."""
    transfers: dict[Name, Transfer] = Field(default_factory=dict)
    """Probes put to the test elsewhere: results/transfers/{transfer}.json and its figure."""
    layerwise: dict[Name, Layerwise] = Field(default_factory=dict)
    """Scores layer by layer: results/{entry}/{figure}.json and .png."""
    multiverses: dict[Name, Multiverse] = Field(default_factory=dict)
    """Probes fitted in every defensible way: results/{multiverse}/multiverse.json and .png."""
    local: dict[Name, Local] = Field(default_factory=dict)
    """Where in the image a label is: results/{local}/local/{encoder}.json and .png."""
    gates: dict[Name, Gate] = Field(default_factory=dict)
    """Comparisons with random weights: results/gates/{gate}.json."""

    @model_validator(mode="after")
    def _sections_fit(self) -> "Config":
        found = list(dict.fromkeys(checks.problems(self)))
        if found:
            raise ValueError("\n".join(found))
        return self

    def embedding(self, name: str) -> Spec:
        """Spec of an encoder or a control."""
        return self.encoders[name] if name in self.encoders else self.controls[name]

    def with_tokens(self, study: Study) -> list[str]:
        """Encoders of a study that keep the spatial tokens that its head needs."""
        if not study.head:
            return []
        layer = self.methods[study.head].layer
        return [n for n in study.encoders if layer in getattr(self.encoders[n], "tokens", ())]

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
