"""Falsify's section of ``config.yaml``: studies, and what of them doesn't go together."""

from physprobe.falsify._checks import problems
from physprobe.falsify._studies import Entries, Fitted, Study

__all__ = ["Entries", "Fitted", "Study", "problems"]
