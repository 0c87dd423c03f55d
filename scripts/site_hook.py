"""What MkDocs calls while it builds the site: reference pages are made from the code, never kept.

A page of the runbook needs no line in mkdocs.yml: every `docs/runbook/<code>.md` is listed.
"""

from itertools import groupby
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from reference import columns, commands, errors, records, rules, settings, tables

PAGES = {
    "reference/settings.md": settings.page,
    "reference/commands.md": commands.page,
    "reference/columns.md": columns.page,
    "reference/tables.md": tables.page,
    "reference/records.md": records.page,
    "reference/rules.md": rules.page,
    "runbook/index.md": errors.page,
}


def on_config(config: MkDocsConfig) -> None:
    """List the runbook's pages below its index, by what they are about."""
    (runbook,) = (entry["Runbook"] for entry in config.nav or () if "Runbook" in entry)
    codes = sorted(path.stem for path in Path(config.docs_dir, "runbook").glob("*.md"))
    for about, group in groupby(codes, lambda code: code.partition(".")[0]):
        runbook.append({about: [{code: f"runbook/{code}.md"} for code in group]})


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the code."""
    for place, page in PAGES.items():
        files.append(File.generated(config, place, content=page()))
    return files
