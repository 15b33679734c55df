"""Specs: validated config entries. Every kind derives its own ``Spec`` from the one here."""

import json
from typing import Self

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """One entry of ``config.yaml``: unknown keys are errors, and nothing changes it afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    def dump(self) -> dict:
        """Plain types only, as Snakemake's params and the stores' attributes need them."""
        return self.model_dump(mode="json")

    def canonical(self) -> str:
        """One JSON text per spec: fields in the model's order, named entries as declared."""
        return json.dumps(self.dump(), separators=(",", ":"))

    def listing(self) -> str:
        """Digest of the files that numbers follow from, as can be told without reading them whole.

        A parameter of the rule, so that a changed file is noticed before any job starts: names,
        sizes and the checksums that files carry, never their times. Kinds that read files of the
        user's override it and :meth:`content`; empty for all others.
        """
        return ""

    def content(self) -> str:
        """Digest of those files' content, for the fingerprint of what is made of them."""
        return ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Spec from the JSON text that a rule passes on the command line."""
        return cls.model_validate_json(text)
