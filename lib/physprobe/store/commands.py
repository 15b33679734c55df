"""Store's commands, for people: no rule runs them."""

from physprobe.config.stages import Command, Stage

NAMES = ("croissant", "export", "schema", "verify")
STAGE = Stage({name: Command(f"{name}:run") for name in NAMES})
