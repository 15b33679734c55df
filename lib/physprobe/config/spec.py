"""Specs: validated config entries. Every kind derives its own ``Spec`` from the one here."""

import json
from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from physprobe.config import problems


class Spec(BaseModel):
    """One entry of ``config.yaml``: unknown keys are errors, and nothing changes it afterwards."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    def dump(self) -> dict:
        """Plain types only, as Snakemake's params and the stores' attributes need them."""
        return self.model_dump(mode="json")

    def canonical(self, *fields: str) -> str:
        """One JSON text per spec: fields in the model's order, named entries as declared.

        Parameters
        ----------
        *fields : str
            Those that are wanted; all of them if none is named.
        """
        found = self.model_dump(mode="json", include=set(fields) or None)
        return json.dumps(found, separators=(",", ":"))

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
    def strict(cls, content: Mapping) -> Self:
        """Spec from plain mappings, lists and scalars; nothing is taken for what it is not.

        A number in quotes is text, 1 is not true, 3.0 is not whole; lists are what JSON has.

        Raises
        ------
        ValidationError
            If anything is wrong.
        """
        return cls.model_validate_json(json.dumps(content), strict=True)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Spec from the JSON text that a rule passes on the command line.

        Raises
        ------
        ValueError
            If it is no such spec; all problems in one line.
        """
        return cls.of_entry(entry(text))

    @classmethod
    def of_entry(cls, content: Mapping) -> Self:
        """Spec from the content of a JSON text; see :meth:`parse`."""
        try:
            return cls.strict(content)
        except ValidationError as error:
            lines = problems.told(problems.explain(error, cls))
            hint = "Hint: give the fields of an entry of the config as JSON."
            raise ValueError(f"--spec: {' '.join(lines)} {hint}") from None


def entry(text: str) -> dict:
    """Content of a spec's JSON text.

    Raises
    ------
    ValueError
        If it is not one JSON object, or a key stands in it twice.
    """
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(
            f"--spec: found {text[:40]!r}, which is not JSON ({error}). Hint: give a JSON object,"
            ' such as \'{"kind": "heat"}\'.'
        ) from None
    if not isinstance(found, dict):
        raise ValueError(f"--spec: found {text[:40]!r}; a JSON object is needed.")
    return found


def _once(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"--spec: the key {twice!r} stands twice.")
    return found
