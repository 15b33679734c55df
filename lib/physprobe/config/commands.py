"""Config's command, for those who change it: no rule runs it."""

from physprobe.config.stages import Command, Stage

STAGE = Stage({"schema": Command("model:write_schema")})
