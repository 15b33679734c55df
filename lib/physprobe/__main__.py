"""The one door to the stages: ``python -m physprobe <command> --option value ...``."""

import argparse
import ast
import dis
import errno
import importlib
import inspect
import json
import logging
import os
import signal
import sys
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import ValidationError

from physprobe.config import problems, stages
from physprobe.store import job

PACKAGE = Path(__file__).parent
JSON_OPTIONS = ("spec", "design")
HINTS = {
    errno.ENOENT: "is the path right? A rule's output is written by: snakemake PATH --cores 1",
    errno.EACCES: "see who owns it and who may write or read there",
    errno.EPERM: "see who owns it and who may write or read there",
    errno.EROFS: "that disk can't be written to; choose another place",
    errno.EISDIR: "that is a folder; name a file",
    errno.ENOTDIR: "part of that path is a file; name a folder",
    errno.EEXIST: "part of that path is a file; name a folder",
    errno.ENOSPC: "make room and run the same command again",
    errno.EDQUOT: "make room and run the same command again",
}
REFUSED, WRONG_USAGE = 1, 2
ENDING = (signal.SIGTERM, signal.SIGUSR1)
"""What batch systems send at a time limit or a preemption, before they kill."""
log = logging.getLogger("physprobe")


def main(argv: list[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : list of str, optional
        Command and options; those of the process by default.

    Returns
    -------
    int
        0: the output is there. 1: something was refused, and one line said what. 2: the command or
        its options are wrong. 130: interrupted. 143 and 138: terminated,
        by SIGTERM or SIGUSR1.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        status = _run(argv)
        sys.stdout.flush()
    except SystemExit as done:
        return int(done.code or 0)
    except KeyboardInterrupt:
        return _refuse("interrupted. Hint: run the same command again.", 128 + signal.SIGINT)
    except BrokenPipeError:
        # nobody reads on; the interpreter is not to complain about it once more when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    return status


def _run(argv: list[str]) -> int:
    door = _door()
    if not argv:
        door.print_help()
        return WRONG_USAGE
    command, options = argv[0], argv[1:]
    if command not in stages.commands():
        if not command.startswith("-"):
            near = problems.nearest(command, stages.commands())
            door.error(f"no command {command!r}.{near} Hint: python -m physprobe --help lists all.")
        door.parse_args(argv)

    asked, options = _asked(command).parse_known_args(options)
    job.limit_threads(asked.threads)
    job.draw_to_files()
    logging.basicConfig(level=logging.INFO, format=f"{command}: %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        module, name = _place(command)
        function = getattr(importlib.import_module(module), name)
        given = vars(_parser(command, function).parse_args(options))
        given = {name: value for name, value in given.items() if name not in vars(asked)}
        if model := stages.model(command):
            model.parse(given["spec"])
        with job.running(**vars(asked)):
            function(**given)
    except Exception as error:
        line = told(error)
        if line is None:
            raise
        return _refuse(line, REFUSED)
    return 0


def _refuse(line: str, status: int) -> int:
    log.error("error: %s", line)
    return status


class Parser(argparse.ArgumentParser):
    """Parser whose errors are one line each."""

    def error(self, message: str) -> typing.NoReturn:
        """End with the status of wrong usage."""
        line = message if "Hint:" in message else f"{message}. Hint: {self.prog} --help"
        self.exit(WRONG_USAGE, f"{self.prog}: error: {line}\n")


def _door() -> Parser:
    """What there is, a line each."""
    width = max(map(len, stages.commands()))
    lines = "\n".join(f"  {name:<{width}}  {about}" for name, about in _summaries())
    parser = Parser(
        prog="python -m physprobe",
        usage="%(prog)s [-h] [--version] <command> [--option value ...]",
        description=f"commands, each with its own --help:\n\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"physprobe {_version()}")
    return parser


def _place(command: str) -> tuple[str, str]:
    """Module and function of a command."""
    folder, declared = stages.commands()[command]
    module, name = declared.function.split(":")
    return f"physprobe.{folder}.{module}", name


def _summaries() -> Iterator[tuple[str, str]]:
    """Every command with the first line of its function's docstring; nothing is imported."""
    for command in stages.commands():
        module, name = _place(command)
        file = PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                first = (ast.get_docstring(node) or "").partition("\n")[0]
                yield command, first.replace("``", "")


def _version() -> str:
    try:
        return version("physprobe")
    except PackageNotFoundError:
        return "(not installed)"


def _asked(command: str) -> Parser:
    """Options that every command has: what the door does for it."""
    parser = Parser(prog=f"python -m physprobe {command}", add_help=False, allow_abbrev=False)
    parser.add_argument("--threads", type=_count, default=1, help="threads of the linear algebra")
    parser.add_argument(
        "--code", default="by hand", help="fingerprint of the code, which the result is to name"
    )
    return parser


def _parser(command: str, function: Callable) -> Parser:
    """Options from a function's signature, help from its docstring."""
    parser = Parser(
        prog=f"python -m physprobe {command}",
        parents=[_asked(command)],
        description=inspect.getdoc(function),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    hints = typing.get_type_hints(function)
    for name, parameter in inspect.signature(function).parameters.items():
        hint, option = hints[name], "--" + name.replace("_", "-")
        if hint is bool:
            parser.add_argument(option, action="store_true")
            continue
        many = typing.get_origin(hint) in (list, Sequence)
        required = parameter.default is inspect.Parameter.empty
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
            parser.add_argument(name, type=hint, nargs="?", default=parameter.default)
            continue
        parser.add_argument(
            option,
            type=_type(name, typing.get_args(hint)[0] if many else hint),
            nargs="*" if many else None,
            required=required,
            default=None if required else parameter.default,
        )
    return parser


def _type(name: str, hint: typing.Any) -> Callable[[str], object]:
    """What turns the text of an option into its value, or says why it can't."""
    if name in JSON_OPTIONS:
        return _json
    # an optional value is absent by default, and of its type where it is given
    options = [part for part in typing.get_args(hint) if part is not types.NoneType]
    return options[0] if options else hint


def _json(text: str) -> str:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"found {text[:60]!r}, expected JSON: {error}") from None
    if not isinstance(content, dict):
        raise argparse.ArgumentTypeError(f'found {text[:60]!r}, expected JSON such as {{"a": 1}}')
    return text


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number from 1 on")
    return int(text)


def told(error: BaseException) -> str | None:
    """One line for an error whose cause is a file, the network or what was asked for, else None.

    Those are: whatever the system says of a file or a connection, and what this package refuses by
    a ``raise`` of its own. Anything else is a defect of the program, and its traceback is wanted.
    """
    if isinstance(error, OSError):
        line = _of_system(error)
    elif isinstance(error, ValidationError):
        line = _of_spec(error)
    elif isinstance(error, ValueError | RuntimeError | ImportError) and _refused_here(error):
        line = str(error)
    else:
        return None
    return " ".join(line.split())


def _of_system(error: OSError) -> str:
    if error.filename is None:
        return str(error) or type(error).__name__
    line = f"{error.filename}: {error.strerror}"
    hint = HINTS.get(error.errno or 0)
    return line if hint is None or "Hint:" in line else f"{line}. Hint: {hint}."


def _of_spec(error: ValidationError) -> str:
    found = (
        f"{'.'.join(map(str, problem['loc'])) or 'all of it'}: found"
        f" {str(problem['input'])[:60]!r}; {problem['msg']}"
        for problem in error.errors(include_url=False)
    )
    return f"--spec: {'; '.join(found)}. Hint: give the fields of an entry of the config as JSON."


def _refused_here(error: BaseException) -> bool:
    """Whether a ``raise`` in this package is where the error comes from."""
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    if place is None:
        return False
    code = place.tb_frame.f_code
    raised = code.co_code[place.tb_lasti] == dis.opmap["RAISE_VARARGS"]
    return raised and Path(code.co_filename).is_relative_to(PACKAGE)


def _terminated(number: int, _: types.FrameType | None) -> typing.NoReturn:
    """End as by an exception, so that nothing half-written stays."""
    log.error("error: %s. Hint: run the same command again.", signal.strsignal(number))
    raise SystemExit(128 + number)


def script() -> typing.NoReturn:
    """Run one command as a process of its own."""
    for number in ENDING:
        signal.signal(number, _terminated)
    sys.exit(main())


if __name__ == "__main__":
    script()
