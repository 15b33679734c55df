"""Films: a folder of them is checked, and all that is wrong is told at once, in a table."""

import sys

from physprobe.config.spec import entry
from physprobe.scenes.films.folder import Contents
from physprobe.simulate import films
from physprobe.store import log


def run(action: str = "check", folder: str = "", *, spec: str = "{}") -> None:
    """Read every film of a folder to its end, and list all that is wrong.

    Parameters
    ----------
    action : str
        ``check``.
    folder : str
        Folder of films, or a table of them.
    spec : str
        JSON of further fields of an entry of kind ``films``, such as {"frames": 64}: then films
        have to be long enough and alike enough for its clips, too.

    Raises
    ------
    ValueError
        If anything is wrong; the table above says what.
    """
    if action != "check" or not folder:
        raise ValueError(
            f"films: found {action!r} {folder!r}. Hint: python -m physprobe films check FOLDER"
        )
    fields = entry(spec)
    found, faults = films.faults(films.Spec.of_entry({"folder": folder, **fields}), bool(fields))
    if found.films or found.listed.unread:
        sys.stdout.write(_films(found) + "\n" * bool(faults))
    if faults:
        sys.stdout.write(log.table([("file", "fault"), *faults]))
        sys.stdout.flush()
        several = "s" * (len(faults) > 1)
        raise ValueError(
            f"{folder}: {len(faults)} fault{several}."
            " Hint: mend them, or leave films out by name (`leave_out`)."
        )
    log.done(f"{folder}: {len(found.films)} films can be used as they are")


def _films(found: Contents) -> str:
    """What the films are that can be used."""
    lines: list[tuple[str, ...]] = [("film", "frames", "per second", "size [px]", "notes")]
    for name, film in found.films.items():
        rate = "" if film.rate is None else f"{film.rate:.4g}"
        size = f"{film.size[0]} x {film.size[1]}"
        lines.append((name, str(film.count), rate, size, "; ".join(film.notes)))
    unread = found.listed.unread
    more = f"neither films nor tables, not read: {', '.join(unread)}\n" if unread else ""
    return log.table(lines) + more
