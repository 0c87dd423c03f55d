"""`tg-pipeline doctor`: is everything that is needed there and well?"""

from tg_pipeline.cli.options import AsJson, Home, Quiet, Verbose, load_settings
from tg_pipeline.errors import EXIT_FAILED


def doctor(
    as_json: AsJson = False, home: Home = None, verbose: Verbose = 0, quiet: Quiet = False
) -> int:
    """Check folders, disk, time zones, database, tables, accounts and every landed batch.

    Examples:
      tg-pipeline doctor
    """
    from tg_pipeline.cli.console import show
    from tg_pipeline.flows.doctor import examine

    findings = list(examine(load_settings(home, verbose, quiet).settings))
    if as_json:
        show.json([finding.as_dict() for finding in findings])
    else:
        for finding in findings:
            show.text(f"{'ok  ' if finding.well else 'FAIL'}  {finding.what}: {finding.found}")
            if finding.remedy:
                show.text(f"      do: {finding.remedy}")
    return 0 if all(finding.well for finding in findings) else EXIT_FAILED
