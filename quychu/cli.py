"""The command `quychu`: sub-commands, options, exit codes.

Rules
- Exit 0 on success, 1 on bad input (one sentence on standard error, no traceback), 2 on wrong usage, 130 when stopped.
- Results go to standard output, progress to standard error: a bar on a terminal, plain lines when piped.
- Heavy libraries are imported by the command that needs them, so that `--help` is quick.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from linkage.errors import LinkageError
from quychu.errors import QuychuError

_FILE = click.Path(path_type=Path)
_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


_STOPPED = 130
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _example(text: str) -> Callable[[click.Command], click.Command]:
    """Show an example below the options of a command."""

    def add(command: click.Command) -> click.Command:
        command.epilog = f"\b\nExample:\n  {text}"
        return command

    return add


def _quiet(command: _Function) -> _Function:
    return click.option("--quiet", is_flag=True, help="Show no progress.")(command)


def _say(text: str, *, quiet: bool) -> None:
    if not quiet:
        click.echo(text)


_ELSEWHERE: dict[str, str] = {
    "ask": "quychu.circle.commands:ask",
    "collect": "quychu.circle.commands:collect",
    "withdraw": "quychu.circle.commands:withdraw",
    "learn": "quychu.circle.commands:learn",
    "rehearse": "quychu.circle.commands:rehearse",
    "trial": "quychu.circle.commands:trial",
    "keys": "quychu.keys:keys",
    "serve": "confirm_api.commands:serve",
    "outbox": "confirm_api.outbox_commands:outbox",
    "office": "quychu.office:office",
    "vneid-sim": "confirm_api.vneid_sim.commands:vneid_sim",
}
"""Command → where it is written; it is imported when it is asked for."""


class _Stoppable(click.Group):
    """A group whose commands end on Ctrl-C with one sentence and exit code 130."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of all commands, here and elsewhere."""
        return sorted([*super().list_commands(ctx), *_ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name not in _ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, _, name = _ELSEWHERE[cmd_name].partition(":")
        found: click.Command = getattr(importlib.import_module(module), name)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            again = "; the same command continues" if ctx.invoked_subcommand == "link" else ""
            click.echo(f"Stopped{again}", err=True)
            ctx.exit(_STOPPED)


def _a_size(_ctx: click.Context, _option: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"\d+(\.\d+)?\s*[KMGT]i?B", value.strip(), re.IGNORECASE):
        message = f"expected a size such as 4GB, found '{value}'"
        raise click.BadParameter(message)
    return value.strip()


def _a_profile(_ctx: click.Context, _option: click.Parameter, value: str) -> str:
    """A shipped profile, or the path of a TOML file; whether that file is good is the generator's matter."""
    from linkage.synth.catalogue import PROFILES  # noqa: PLC0415

    if value not in PROFILES and not value.endswith(".toml") and not Path(value).is_file():
        message = f"expected {', '.join(PROFILES)} or a TOML file, found '{value}'"
        raise click.BadParameter(message)
    return value


@click.group(cls=_Stoppable, context_settings=_SETTINGS)
@click.version_option(package_name="quychu", prog_name="quychu")
def cli() -> None:
    """Resolve the owners written in land registers to the citizens of the population register."""


@_example("quychu synth --citizens 20000 --out data --profile rural")
@cli.command(context_settings=_SETTINGS)
@click.option("--citizens", type=click.IntRange(200), required=True, help="How many citizens the register holds.")
@click.option("--out", type=_FILE, required=True, help="Folder for the files.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same files.")
@click.option(
    "--profile",
    default="mixed",
    show_default=True,
    callback=_a_profile,
    help="mixed, rural, urban, or a TOML file of errors.",
)
@_quiet
def synth(citizens: int, out: Path, seed: int, profile: str, quiet: bool) -> None:
    """Generate a land register and a population register with known truth."""
    from linkage.synth import generate  # noqa: PLC0415

    generate(citizens, out, seed=seed, profile=profile)
    _say(f"Wrote land_owners.parquet, citizens.parquet, truth.parquet and a PL3-01 sample to {out}", quiet=quiet)


@_example("quychu check --owners so-dia-chinh.xlsx --citizens dan-cu.parquet --out kiem-tra.json")
@cli.command(context_settings=_SETTINGS)
@click.option("--owners", type=_FILE, required=True, help="Land register: Parquet, CSV, XLSX, XLS or PL3-01.")
@click.option("--citizens", type=_FILE, help="Extract of the population register.")
@click.option("--config", type=_FILE, help="TOML file (default: the shipped land-register.toml).")
@click.option("--out", type=_FILE, help="Also write all figures as JSON.")
@_quiet
def check(owners: Path, citizens: Path | None, config: Path | None, out: Path | None, quiet: bool) -> None:
    """Show what the input is like before anything runs: rows, fill rates, errors, what would be rejected."""
    from linkage import profile  # noqa: PLC0415
    from linkage.config import load  # noqa: PLC0415
    from linkage.outputs.durable import write_json  # noqa: PLC0415
    from linkage.outputs.progress import display_for  # noqa: PLC0415

    found = profile.check_files(owners, citizens, load(config), display=display_for(quiet=quiet))
    for line in profile.report_lines(found):
        click.echo(line)
    if out is not None:
        write_json(out, profile.as_json(found))
    profile.refuse_unusable(found)


def _job_options(command: _Function) -> _Function:
    for option in (
        click.option("--threads", type=click.IntRange(1), help="Processor cores to use (default: all)."),
        click.option(
            "--memory",
            default="2GB",
            show_default=True,
            callback=_a_size,
            help="Budget of the database; above it, it spills.",
        ),
        click.option("--config", type=_FILE, help="TOML file (default: the shipped land-register.toml)."),
        click.option("--citizens", "--right", type=_FILE, help="Extract of the population register, or another table."),
        click.option("--owners", "--left", type=_FILE, help="Land register: Parquet, CSV, XLSX, XLS or PL3-01."),
    ):
        command = option(command)
    return _quiet(command)


def _job(**told: Any) -> Any:
    from linkage.config import load  # noqa: PLC0415
    from linkage.pipeline import Job  # noqa: PLC0415

    for name in ("owners", "citizens"):
        if told[name] is None:
            raise click.UsageError(f"Missing option '--{name}'.")
    return Job(**{**told, "config": load(told.pop("config"))})


@_example("quychu link --owners so-dia-chinh.xlsx --citizens dan-cu.parquet --out ket-qua")
@cli.command(context_settings=_SETTINGS)
@_job_options
@click.option("--out", type=_FILE, required=True, help="Folder for the results; run again to continue.")
@click.option("--model", type=_FILE, help="Model file of `quychu train` (default: train first).")
@click.option("--fresh", is_flag=True, help="Start over in a folder made from other inputs, config or model.")
@click.option("--workbook/--no-workbook", default=True, show_default=True, help="Write links.xlsx.")
def link(quiet: bool, **told: Any) -> None:
    """Link every named owner to a citizen, or say why not; with a config of its own, any tables (docs/models.md)."""
    if _is_generic(told["config"]):
        _link_tables(quiet=quiet, **told)
        return
    from linkage import pipeline  # noqa: PLC0415
    from linkage.outputs.progress import display_for  # noqa: PLC0415

    finished = pipeline.link(_job(**told), display=display_for(quiet=quiet))
    _say(_accounts(finished.counts), quiet=quiet)
    _learn_again(finished.out, told, quiet=quiet)
    _say(
        f"Wrote links.parquet,{' links.xlsx,' if told['workbook'] else ''} persons.parquet to {finished.out}",
        quiet=quiet,
    )


def _learn_again(run: Path, told: dict[str, Any], *, quiet: bool) -> None:
    """A run done again starts from the machine's links; what citizens have answered is put on top of them again."""
    if not (run / "answers.parquet").is_file():
        return
    import polars as pl  # noqa: PLC0415

    from linkage.config import load  # noqa: PLC0415
    from linkage.learn import learn, renew_workbook  # noqa: PLC0415

    config = load(told["config"])
    learnt = learn(run, pl.read_parquet(run / "answers.parquet"), config=config, model=False)
    if told["workbook"]:
        renew_workbook(run, told["owners"], config)
    _say(f"Answers collected earlier settle {learnt.counts['settled']:,} places again", quiet=quiet)


def _is_generic(config: Path | None) -> bool:
    """Does the config describe other tables than a land register (`[run] kind = "link"` or `"dedupe"`)?"""
    from linkage.tables.config import kind_of  # noqa: PLC0415

    return kind_of(config) is not None


def _tables_job(*, config: Path, owners: Path | None, citizens: Path | None, out: Path, **told: Any) -> Any:
    from linkage.tables.job import job  # noqa: PLC0415

    return job(config, out=out, left=owners, right=citizens, **told)


def _link_tables(*, quiet: bool, workbook: bool, **told: Any) -> None:
    from linkage.outputs.progress import display_for  # noqa: PLC0415
    from linkage.tables import run  # noqa: PLC0415
    from linkage.tables.job import summary  # noqa: PLC0415

    del workbook  # an office's own rows exist in a land register run only
    finished = run.link(_tables_job(**told), display=display_for(quiet=quiet))
    _say(summary(finished.counts), quiet=quiet)
    _say(f"Wrote links.parquet, candidates.parquet, rejected.parquet, model.json to {finished.out}", quiet=quiet)


def _train_tables(*, quiet: bool, model: Path, **told: Any) -> None:
    from linkage.outputs.progress import display_for  # noqa: PLC0415
    from linkage.tables import run  # noqa: PLC0415

    run.train_to(_tables_job(out=model.parent, **told), model, display=display_for(quiet=quiet))
    _say(f"Wrote the model to {model}", quiet=quiet)


def _accounts(counts: Any) -> str:
    decided = ", ".join(
        f"{name} {counts[name]:,}" for name in ("link", "ask", "review", "no_match", "not_a_person") if name in counts
    )
    return (
        f"rows read {counts['rows_read']:,} = used {counts['rows_used']:,} + rejected {counts['rows_rejected']:,}\n"
        f"persons named {counts['links']:,}: {decided}"
    )


@_example("quychu train --owners so.parquet --citizens dan-cu.parquet --model mo-hinh.json")
@cli.command(context_settings=_SETTINGS)
@_job_options
@click.option("--model", type=_FILE, required=True, help="Where to write the model.")
def train(quiet: bool, model: Path, **told: Any) -> None:
    """Train a model and write it with its card."""
    if _is_generic(told["config"]):
        _train_tables(quiet=quiet, model=model, **told)
        return
    from linkage import pipeline  # noqa: PLC0415
    from linkage.outputs.progress import display_for  # noqa: PLC0415

    pipeline.train_to(_job(out=model.parent, **told), model, display=display_for(quiet=quiet))
    _say(f"Wrote the model to {model}", quiet=quiet)


@_example("quychu evaluate --links ket-qua/links.parquet --truth data/truth.parquet --out danh-gia.json")
@cli.command(context_settings=_SETTINGS)
@click.option("--links", type=_FILE, required=True, help="links.parquet of a run.")
@click.option("--truth", type=_FILE, required=True, help="truth.parquet of the same lines.")
@click.option("--out", type=_FILE, help="Also write all figures as JSON.")
@click.option("--seed", type=int, default=1, show_default=True, help="Seed of the bootstrap.")
@_quiet
def evaluate(links: Path, truth: Path, out: Path | None, seed: int, quiet: bool) -> None:
    """Judge links against the truth: precision, recall, F1 with intervals, calibration, subgroups."""
    from linkage.outputs.durable import write_text  # noqa: PLC0415
    from linkage.report.metrics import evaluate_files, summary_lines  # noqa: PLC0415
    from linkage.tables import judge  # noqa: PLC0415

    if judge.is_ours(links):
        judged = judge.judge_files(links, truth, seed=seed)
        lines, figures = judged.lines, judged.json
    else:
        evaluation = evaluate_files(links, truth, seed=seed)
        lines, figures = [*summary_lines(evaluation), *_coverage_line(links, truth)], evaluation.to_json()
    for line in lines:
        _say(line, quiet=quiet)
    if out is not None:
        write_text(out, figures + "\n")


def _coverage_line(links: Path, truth: Path) -> list[str]:
    """What blocking let through, where the links still lie in their run folder."""
    import polars as pl  # noqa: PLC0415

    from linkage.pipeline import coverage  # noqa: PLC0415

    found = coverage(links.parent, pl.read_parquet(truth)) if truth.suffix == ".parquet" else None
    if found is None:
        return []
    shares = ", ".join(f"{rule} {count / found.true_pairs:.2%}" for rule, count in found.first_found_by.items())
    return [f"blocking   pair completeness {found.pair_completeness:.3%}; first found by {shares}"]


@_example("quychu report --run ket-qua")
@cli.command(context_settings=_SETTINGS)
@click.option("--run", type=_FILE, required=True, help="Folder of a finished run.")
@click.option("--with-names", is_flag=True, help="Show names, numbers and serials (personal data).")
@_quiet
def report(run: Path, with_names: bool, quiet: bool) -> None:
    """Write report.html for a finished run."""
    from linkage.report.page import write_report  # noqa: PLC0415

    _say(str(write_report(run, with_names=with_names)), quiet=quiet)


@_example("quychu demo --out demo-run")
@cli.command(context_settings=_SETTINGS)
@click.option("--out", type=_FILE, default=Path("demo-run"), show_default=True, help="Folder for data and results.")
@click.option("--citizens", type=click.IntRange(200), default=20_000, show_default=True, help="Citizens to generate.")
@_quiet
def demo(out: Path, citizens: int, quiet: bool) -> None:
    """Show the whole story on generated data and print the path of the report."""
    from quychu import demo as story  # noqa: PLC0415

    click.echo(story.tell(out, citizens=citizens, quiet=quiet))


def main() -> None:
    """Run the command; a refusal is one sentence, anything unforeseen names itself without personal data."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        cli(standalone_mode=True)
    except (LinkageError, QuychuError) as error:
        click.echo(f"quychu: {error}", err=True)
        sys.exit(1)
    except Exception as error:
        if _is_ours(error):
            click.echo(f"quychu: {error}", err=True)
            sys.exit(1)
        if os.environ.get("QUYCHU_DEBUG"):
            raise
        # The message of a foreign library may hold a value of a record, so only its kind is told.
        kind = type(error).__name__
        click.echo(f"quychu: an unforeseen error ({kind}); set QUYCHU_DEBUG=1 to see where, and report it.", err=True)
        sys.exit(1)


def _is_ours(error: Exception) -> bool:
    """A refusal of the exchange or of the service, whose packages a linkage run does not import."""
    kinds = {"exchange.errors": "ExchangeError", "confirm_api.errors": "ServiceError"}
    found = [getattr(sys.modules.get(module), name, None) for module, name in kinds.items()]
    return any(kind is not None and isinstance(error, kind) for kind in found)


def as_json(value: Any) -> str:
    """A value as one line of JSON."""
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main()
