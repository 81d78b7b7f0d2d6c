"""The commands of the circle: `ask`, `collect`, `withdraw`, `learn`; `quychu/cli.py` mounts them.

Rules
- Each may be stopped and given again: what is done is not done twice.
- What they print are counts, never a value of a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from quychu.circle.channel import Channel

_FILE = click.Path(path_type=Path)
_NAMES: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
_RUN = click.option("--run", type=_FILE, required=True, help="Folder of a finished run.")
_PEER = click.option("--config", type=_FILE, required=True, help="The engine's side (configs/circle.example.toml).")
_QUIET = click.option("--quiet", is_flag=True, help="Show no progress.")


def _example(text: str) -> Callable[[click.Command], click.Command]:
    def add(command: click.Command) -> click.Command:
        command.epilog = f"\b\nExample:\n  {text}"
        return command

    return add


@contextmanager
def _channel(config: Path, run: Path) -> Iterator[Channel]:
    from exchange.transport import Client  # noqa: PLC0415
    from quychu.circle.channel import Channel  # noqa: PLC0415
    from quychu.circle.conversation import bind  # noqa: PLC0415
    from quychu.circle.settings import load  # noqa: PLC0415

    settings = load(config)
    bind(run, f"{settings.service.iss} at {settings.service.url}")
    own, peer = settings.own(), settings.peer()
    with Client() as client:
        yield Channel(own, peer, client, patience_seconds=settings.patience_seconds)


def _progress(what: str, *, quiet: bool) -> Callable[[int, int], None]:
    from quychu.circle.progress import counter  # noqa: PLC0415

    return counter(what, quiet=quiet)


@_example("quychu ask --run ket-qua --owners so.xlsx --budget 500 --config cau-hinh/circle.toml")
@click.command(context_settings=_NAMES)
@_RUN
@click.option("--owners", type=_FILE, help="The owner file that was linked: its facts make a question recognisable.")
@click.option("--budget", type=click.IntRange(1), help="At most so many questions (default: all worth asking).")
@click.option(
    "--by",
    type=click.Choice(["gain", "probability"]),
    default="gain",
    show_default=True,
    help="Whom to ask first: by what an answer is expected to settle, or by falling probability.",
)
@click.option(
    "--random-share",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="Share chosen by lot: only these tell how sure the model may be.",
)
@click.option("--expires-in-days", type=click.FloatRange(1 / 1440, 30), default=30.0, show_default=True)
@click.option("--config", type=_FILE, help="The engine's side; without it the questions are made and not posted.")
@click.option("--link-config", type=_FILE, help="Config of the run (default: the shipped land-register.toml).")
@_QUIET
def ask(
    run: Path, owners: Path | None, config: Path | None, link_config: Path | None, quiet: bool, **told: Any
) -> None:
    """Make questions of doubtful links and post them to the confirmation service."""
    from linkage.ask import Plan  # noqa: PLC0415
    from linkage.ask import ask as make_questions  # noqa: PLC0415
    from linkage.config import load  # noqa: PLC0415
    from quychu.circle.conversation import post_questions  # noqa: PLC0415

    days = told.pop("expires_in_days")
    plan = Plan(**told, expires_in_seconds=round(days * 86_400))
    made = make_questions(run, plan, owners=owners, config=load(link_config))
    if not quiet:
        click.echo(f"questions {made.questions.height:,} about {made.counts['asked_items']:,} places on owner lines")
    if config is None:
        return
    with _channel(config, run) as channel:
        posted = post_questions(channel, run, progress=_progress("posted", quiet=quiet))
    if not quiet:
        click.echo(posted.sentence())


@_example("quychu collect --run ket-qua --config cau-hinh/circle.toml")
@click.command(context_settings=_NAMES)
@_RUN
@_PEER
@click.option("--wait", type=click.FloatRange(0), default=0.0, help="Seconds to wait for outcomes still missing.")
@_QUIET
def collect(run: Path, config: Path, wait: float, quiet: bool) -> None:
    """Bring the answers that have come in since the last time."""
    from quychu.circle.conversation import collect_answers, outcomes  # noqa: PLC0415

    with _channel(config, run) as channel:
        answers = collect_answers(
            channel, run, wait_seconds=wait, progress=_progress("items with outcome", quiet=quiet)
        )
    if not quiet:
        click.echo(outcomes(answers))


@_example('quychu withdraw --run ket-qua --config cau-hinh/circle.toml --reason "Dừng đợt hỏi"')
@click.command(context_settings=_NAMES)
@_RUN
@_PEER
@click.option("--reason", required=True, help="Why, in a few words; no personal data.")
@_QUIET
def withdraw(run: Path, config: Path, reason: str, quiet: bool) -> None:
    """Withdraw the questions of a run that have no outcome yet."""
    from quychu.circle.conversation import withdraw_open  # noqa: PLC0415

    with _channel(config, run) as channel:
        counts = withdraw_open(channel, run, reason)
    if not quiet:
        click.echo(", ".join(f"{name} {counts[name]:,}" for name in ("withdrawn", "too_late", "unknown")))


def _workbook(run: Path, owners: Path | None, link_config: Path | None) -> None:
    from linkage.config import load  # noqa: PLC0415
    from linkage.learn import renew_workbook  # noqa: PLC0415

    if owners is not None:
        renew_workbook(run, owners, load(link_config))


@_example("quychu learn --run ket-qua --owners so-dia-chinh.xlsx")
@click.command(context_settings=_NAMES)
@_RUN
@click.option("--link-config", type=_FILE, help="Config of the run (default: the shipped land-register.toml).")
@click.option("--owners", type=_FILE, help="The owner file that was linked: links.xlsx is written again.")
@click.option("--undo", is_flag=True, help="Put the machine's own links back; answers and labels stay.")
@_QUIET
def learn(run: Path, link_config: Path | None, owners: Path | None, undo: bool, quiet: bool) -> None:
    """Turn answers into settled links, labels, and a new model beside the old."""
    import polars as pl  # noqa: PLC0415

    from linkage import learn as learning  # noqa: PLC0415
    from linkage.config import load  # noqa: PLC0415
    from quychu.errors import QuychuError  # noqa: PLC0415

    if undo:
        learning.undo(run)
        _workbook(run, owners, link_config)
        return
    file = run / "answers.parquet"
    if not file.is_file():
        raise QuychuError("answers.parquet: expected it in the run folder, found none; run `quychu collect` first.")
    learnt = learning.learn(run, pl.read_parquet(file), config=load(link_config))
    _workbook(run, owners, link_config)
    if quiet:
        return
    ended = ", ".join(f"{name} {count:,}" for name, count in learnt.counts["asked_by_outcome"].items())
    click.echo(f"answers {learnt.counts['answers']:,}; places asked ended: {ended}")
    beside = f"; {learnt.taught.name} and model-comparison.json lie beside the old model" if learnt.taught else ""
    book = "links.xlsx, " if owners else ""
    click.echo(f"Wrote links.parquet (before: links.before.parquet), {book}labels.parquet{beside}")


@_example("quychu rehearse --run run --owners data/land_owners.parquet --truth data/truth.parquet --behaviour mixed")
@click.command(context_settings=_NAMES)
@_RUN
@click.option("--owners", type=_FILE, required=True, help="The owner file that was linked.")
@click.option(
    "--truth", type=_FILE, required=True, help="truth.parquet: what the simulated citizens know of themselves."
)
@click.option("--behaviour", default="mixed", show_default=True, help="A name or a TOML file (quychu/citizens.py).")
@click.option("--seed", type=int, default=1, show_default=True, help="Who behaves how.")
@_QUIET
def rehearse(run: Path, owners: Path, truth: Path, behaviour: str, seed: int, quiet: bool) -> None:
    """Let simulated citizens answer the questions of `quychu ask`, over HTTP, before anybody real is asked."""
    from quychu.circle.conversation import outcomes  # noqa: PLC0415
    from quychu.circle.rehearsal import rehearse_run  # noqa: PLC0415
    from quychu.citizens import Citizens  # noqa: PLC0415
    from quychu.citizens import behaviour as behaviour_of  # noqa: PLC0415
    from quychu.errors import QuychuError  # noqa: PLC0415

    for file in (run / "items.parquet", owners, truth):
        if not file.is_file():
            raise QuychuError(f"{file.name}: expected this file, found none; run `quychu ask` first, or mend the path.")
    people = Citizens.open(truth, owners, run / "items.parquet", behaviour_of(behaviour), seed=seed)
    answers = rehearse_run(run, people, progress=_progress("places answered", quiet=quiet))
    if not quiet:
        click.echo(outcomes(answers))


@_example("quychu trial --dir thu-nghiem")
@click.command(context_settings=_NAMES)
@click.option(
    "--dir", "folder", type=_FILE, default=Path("trial"), show_default=True, help="Keys, settings, databases."
)
@click.option("--service-port", type=click.IntRange(1, 65_535), default=8600, show_default=True)
@click.option("--provider-port", type=click.IntRange(1, 65_535), default=8700, show_default=True)
def trial(folder: Path, service_port: int, provider_port: int) -> None:
    """Run the confirmation service and the simulated identity provider together until stopped (Ctrl-C)."""
    from quychu.circle.world import Told, lay_out, running  # noqa: PLC0415

    world = lay_out(folder, Told(ports=(service_port, provider_port)))
    with running(world) as servers:
        click.echo(f"service      {world.service_url}  (officers: {world.service_url}/can-bo)")
        click.echo(f"citizens     {world.provider_url}/app")
        click.echo(f"the engine   quychu ask --run RUN --owners FILE --config {world.circle_config}")
        click.echo(f"an officer   quychu office officer add NAME --role reviewer --config {world.service_config}")
        click.echo("Ctrl-C ends both; the same command goes on with the same data.")
        servers.wait()
