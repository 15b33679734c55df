"""Config: ``config.yaml`` as one validated model; an entry's fields are its kind's ``Spec``."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError, model_validator

from physprobe.config import config_files, layout, problems, stages
from physprobe.config.config_files import EXTENDS, ConfigError, Content


class Config(stages.Drawn, *stages.entries()):  # type: ignore[misc]  # its bases are found by folder
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
    return load(config_files.gather([path]))


def schema() -> str:
    """JSON schema of a config file, for editors: it may say a part of the whole, extend entries."""
    whole = Config.model_json_schema()
    del whole["required"]
    extending = {
        "type": "object",
        "required": [EXTENDS],
        "properties": {
            EXTENDS: {"description": "Entry of the same section whose fields hold besides."}
        },
    }
    for section in whole["properties"].values():
        for pattern, entry in section.get("patternProperties", {}).items():
            several = {"if": {"required": [EXTENDS]}, "then": extending, "else": entry}
            section["patternProperties"][pattern] = {"anyOf": [{"type": "null"}, several]}
    return json.dumps(whole, indent=1) + "\n"
