"""`tg-pipeline config`: every setting, its value and where it came from."""

import typer

from tg_pipeline.cli.options import AsJson, Home, Quiet, Verbose, load_settings

app = typer.Typer(help="Settings and where they come from.", no_args_is_help=True)


@app.command("show")
def show_config(
    as_json: AsJson = False, home: Home = None, verbose: Verbose = 0, quiet: Quiet = False
) -> None:
    """Show every setting with its origin; secrets are masked.

    Examples:
      tg-pipeline config show

      TG_PIPELINE_PERIOD=day tg-pipeline config show --json
    """
    from tg_pipeline.cli.console import show

    shown = list(load_settings(home, verbose, quiet).show())
    if as_json:
        show.json([one.as_dict() for one in shown])
        return
    show.table(
        ("setting", "value", "from", "meaning"),
        ((one.name, one.value or "", one.origin, one.help) for one in shown),
    )


@app.callback()
def config() -> None:
    """Settings and where they come from."""
