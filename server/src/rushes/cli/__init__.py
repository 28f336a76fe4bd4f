"""The command `rushes`: a table of subcommands. Each imports what it needs when it runs, so that help is quick."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from rushes import __version__
from rushes.cli import lanes, orgs, users
from rushes.cli.failure import CommandFailed
from rushes.cli.options import DataOption, JsonOption, OrgOption

app = typer.Typer(
    name="rushes",
    help="A self-hosted video-generation cloud.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys_app = typer.Typer(help="API keys of the platform.", no_args_is_help=True)
catalog_app = typer.Typer(help="Model cards.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
app.add_typer(catalog_app, name="catalog")
app.add_typer(users.app, name="users")
app.add_typer(orgs.app, name="orgs")
app.add_typer(lanes.app, name="lanes")


def main() -> None:
    """Run the command line. What the user did wrong is one sentence and exit status 1, never a traceback."""
    try:
        app()
    except CommandFailed as error:
        sys.stderr.write(f"rushes: {error}\n")
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"rushes {__version__}")
        raise typer.Exit


@app.command()
def up(
    data: DataOption,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any free port.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    test_models: Annotated[bool, typer.Option(help="Offer the model rushes-test.")] = True,
    tls: Annotated[bool, typer.Option(help="Serve https with a development certificate.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Requests that run at once.")] = 1,
) -> None:
    """Run a whole platform on this machine: PostgreSQL, API, a qworker, maintenance."""
    from rushes.platform.up import UpSettings
    from rushes.platform.up import up as run

    database_url = os.environ.get("RUSHES_DATABASE_URL", "")
    settings = UpSettings(
        data=data, host=host, port=port, test_models=test_models, tls=tls, workers=workers, database_url=database_url
    )
    raise typer.Exit(run(settings))


@app.command()
def serve(
    data: DataOption,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535)] = None,
    test_models: Annotated[bool | None, typer.Option(help="Offer the model rushes-test.")] = None,
    fd: Annotated[int | None, typer.Option(help="A listening socket to inherit.")] = None,
    parent_fd: Annotated[int | None, typer.Option(help="Stop when this pipe ends.")] = None,
    certificate: Annotated[Path | None, typer.Option("--tls-cert", help="PEM certificate chain.")] = None,
    key: Annotated[Path | None, typer.Option("--tls-key", help="PEM private key.")] = None,
) -> None:
    """Serve the API. Needs RUSHES_DATABASE_URL."""
    from rushes.cli.processes import run_serve

    run_serve(data, host, port, test_models, fd, parent_fd, certificate, key)


@app.command()
def worker(
    data: DataOption,
    slots: Annotated[int | None, typer.Option(min=1, max=64, help="Requests to run at once.")] = None,
    exit_idle: Annotated[float | None, typer.Option(help="Leave after this many idle seconds.")] = None,
    sole: Annotated[bool, typer.Option(help="No other qworker lives: take over what a dead one held at once.")] = False,
    test_models: Annotated[bool | None, typer.Option(help="Serve the model rushes-test.")] = None,
    parent_fd: Annotated[int | None, typer.Option(help="Stop when this pipe ends.")] = None,
    model: Annotated[str | None, typer.Option(help="A model card to serve from --weights, and nothing else.")] = None,
    weights: Annotated[Path | None, typer.Option(help="The folder of that model's weights.")] = None,
) -> None:
    """Run a qworker. Needs RUSHES_DATABASE_URL."""
    from rushes.cli.processes import run_worker

    run_worker(data, slots, exit_idle, sole, test_models, parent_fd, model, weights)


@app.command(hidden=True)
def bootstrap(data: DataOption) -> None:
    """Migrate the database and, on first start, make an organisation and a key."""
    from rushes.cli.processes import run_bootstrap

    run_bootstrap(data)


@app.command()
def generate(
    model: Annotated[str, typer.Argument(help="A model id; `rushes models` lists them.")],
    data: DataOption,
    prompt: Annotated[str | None, typer.Option(help="What the video shows.")] = None,
    image: Annotated[str | None, typer.Option(help="A picture: a file or a URL.")] = None,
    parameter: Annotated[list[str] | None, typer.Option("-p", "--param", help="key=value, repeatable.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to save the video.")] = None,
) -> None:
    """Submit a request to the running platform, wait, and save the video."""
    from rushes.cli.generate import run_generate

    run_generate(data, model, prompt, image, parameter or [], output)


@app.command()
def models(data: DataOption, as_json: JsonOption = False) -> None:
    """List the models of this installation."""
    from rushes.cli.catalog import list_models

    list_models(as_json)


@catalog_app.command("check")
def catalog_check(file: Annotated[Path, typer.Argument(help="A YAML file of model cards.")]) -> None:
    """Check a file of model cards."""
    from rushes.cli.catalog import check

    check(file)


@keys_app.command("create")
def keys_create(
    data: DataOption,
    name: Annotated[str, typer.Option(help="What the key is for.")],
    org: OrgOption = None,
    scope: Annotated[
        list[str] | None, typer.Option(help="ie_model (the default), ce_resource or operate; repeatable.")
    ] = None,
    expires_days: Annotated[float | None, typer.Option(help="Days until it expires; never if not given.")] = None,
    spend_limit: Annotated[str | None, typer.Option(help="Dollars it may spend in all.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Create an API key; it is shown once."""
    from rushes.cli.keys import KeyOptions, create

    create(data, name, KeyOptions(org, scope or ["ie_model"], expires_days, spend_limit), as_json)


@keys_app.command("list")
def keys_list(data: DataOption, as_json: JsonOption = False) -> None:
    """List API keys."""
    from rushes.cli.keys import list_keys

    list_keys(data, as_json)


@keys_app.command("revoke")
def keys_revoke(
    data: DataOption,
    key_id: Annotated[str, typer.Argument(help="The id that `keys list` shows.")],
    as_json: JsonOption = False,
) -> None:
    """Revoke an API key; it stops working within a second."""
    from rushes.cli.keys import revoke

    revoke(data, key_id, as_json)


@app.command()
def doctor(data: DataOption, as_json: JsonOption = False) -> None:
    """Say what this machine lacks, and how to get it."""
    from rushes.cli.doctor import run_doctor

    run_doctor(data, as_json)
