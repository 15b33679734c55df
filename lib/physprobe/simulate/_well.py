"""The Well: a folder of its files is checked, and all that is wrong is told at once, in a table."""

import sys

from physprobe.config.spec import entry
from physprobe.scenes.well.folder import Listed
from physprobe.simulate import the_well
from physprobe.store import log


def run(action: str = "check", folder: str = "", *, spec: str = "{}") -> None:
    """Check files of The Well's form, every value of them, and list all that is wrong.

    Parameters
    ----------
    action : str
        ``check``.
    folder : str
        Folder of HDF5 files at any depth, or one file.
    spec : str
        JSON of further fields of an entry of kind ``the_well``, such as {"frames": 32}: then they
        have to give its clips, too.

    Raises
    ------
    ValueError
        If anything is wrong; the table above says what.
    """
    if action != "check" or not folder:
        raise ValueError(
            f"well: found {action!r} {folder!r}. Hint: python -m physprobe well check FOLDER"
        )
    fields = {"valid": "train", **entry(spec)}
    asked = the_well.Spec.of_entry({"folder": folder, **fields})
    found, faults = the_well.faults(asked)
    if found.headers:
        sys.stdout.write(_files(found) + "\n" * bool(faults))
    if faults:
        sys.stdout.write(log.table([("file", "fault"), *faults]))
        sys.stdout.flush()
        several = "s" * (len(faults) > 1)
        raise ValueError(
            f"{folder}: {len(faults)} fault{several}."
            " Hint: mend them, or leave files out by name (`leave_out`)."
        )
    for line in the_well.problems(asked) if len(fields) > 1 else ():
        raise ValueError(line)
    log.done(f"{folder}: {len(found.headers)} files can be used as they are")


def _files(found: Listed) -> str:
    """What the files are that can be used."""
    lines = [("file", "data set", "trajectories", "frames", "points (x, y)", "channels")]
    for name, header in found.headers.items():
        lines.append(
            (
                name,
                header.dataset,
                str(header.trajectories),
                str(header.frames),
                " x ".join(map(str, header.size)),
                ", ".join(channel.name for channel in header.channels),
            )
        )
    return log.table(lines)
