"""Init's command, for people: no rule runs it."""

from physprobe.config.stages import Command, Stage

STAGE = Stage({"init": Command()})
