"""Config: ``config.yaml`` as one validated model; an entry's fields are its kind's ``Spec``."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError, model_validator

from physprobe.config import config_files, layout, problems, stages
from physprobe.config.config_files import ConfigError, Content


class Config(*stages.entries()):
    """Everything that ``config.yaml`` may say."""

    @model_validator(mode="after")
    def _sections_fit(self) -> "Config":
        found = list(dict.fromkeys((*layout.problems(self), *stages.problems(self))))
        if found:
            raise ValueError("\n".join(found))
        return self


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
    out.write_text(schema())
