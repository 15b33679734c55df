"""Store's commands, for people: no rule runs them."""

from physprobe.config.stages import Command, Stage

STAGE = Stage({"export": Command("export:run"), "verify": Command("verify:run")})
