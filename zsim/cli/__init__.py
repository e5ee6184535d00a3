"""The command line: each command parses, calls the API, prints and exits; nothing is computed here."""

import os
import sys
from importlib import import_module

import click

from zsim.errors import ZsimError

COMMANDS = {
    "replay": ("zsim.cli.replay:replay", "Replay a recorded trace on a machine with compressed swap."),
    "advise": ("zsim.cli.advise:advise", "Say which configuration suits a workload, and what it saves."),
    "sweep": ("zsim.cli.sweep:sweep", "Run all configurations of a study, several at a time."),
    "compare": ("zsim.cli.report:compare", "Compare results side by side, with ratios."),
    "plot": ("zsim.cli.report:plot", "Draw a result over time."),
    "report": ("zsim.cli.report:report_", "Write an HTML page of a study: figures, tables, configuration."),
    "pack": ("zsim.cli.pack:pack", "Run an allocator alone over an alloc/free sequence."),
    "record": ("zsim.cli.record:record", "Run a program and record its page accesses and contents."),
    "trace": ("zsim.cli.trace:trace", "Look at, convert and generate traces."),
    "validate": ("zsim.cli.validate:validate", "Replay recorded kernel runs and compare."),
    "list": ("zsim.cli.config:list_", "List allocators, stores, devices, ... with a line each."),
    "config": ("zsim.cli.config:config", "Show or check a configuration."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run, so that `zsim --help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order they are explained."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import one command; None where there is no such name."""
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name][0].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with a suggestion for a name that is nearly right."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from zsim.registry import suggestion

            raise click.UsageError(f"no command {args[0]!r}{suggestion(args[0], list(COMMANDS))}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands and their line, from the table alone: nothing is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="zsim")
def zsim() -> None:
    """zsim replays a recorded page-access trace on a modelled machine with compressed swap, and measures it."""


def main() -> None:
    """Run the command line; a `ZsimError` becomes one line on stderr and its exit status, Ctrl-C status 130."""
    try:
        zsim.main(standalone_mode=False)
    except click.exceptions.Exit as exit_:
        sys.exit(exit_.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("zsim: interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except ZsimError as error:
        click.echo(f"zsim: {error}", err=True)
        sys.exit(error.exit_code)
