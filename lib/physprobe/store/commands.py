"""Store's commands, for people: no rule runs them."""

from physprobe.config.stages import Command, Stage

STAGE = Stage({name: Command(f"{name}:run") for name in ("export", "schema", "verify")})
