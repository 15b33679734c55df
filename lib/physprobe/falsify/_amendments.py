"""Amendments: changes of a plan after it was written, in words."""

from collections.abc import Mapping


def told(amendment: Mapping) -> str:
    """An amendment in words."""
    when = "after there were results" if amendment["after_results"] else "before any result"
    changes = "; ".join(
        f"{word} {', '.join(names)}" for word, names in amendment.items() if isinstance(names, list)
    )
    return f"{amendment['date']}, {when}: {changes}"
