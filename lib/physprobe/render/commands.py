"""Render's commands."""

from typing import Any

from physprobe.config.stages import Command, Stage


def _kinds(config: Any, asked: Any) -> list[str]:
    return [f"render.{config.systems[asked.system].render.kind}"]


STAGE = Stage(
    {
        "render": Command(
            entry=lambda config, asked: config.systems[asked.system].render, kinds=_kinds
        ),
        "preview": Command("_video:run", kinds=_kinds),
    }
)
