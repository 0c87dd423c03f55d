"""What the code has, the reference has, each with its meaning: nothing new stays untold."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tg_pipeline.contracts.schema import CONTRACTS
from tg_pipeline.errors import InputMissing, TgPipelineError
from tg_pipeline.exports import manifest
from tg_pipeline.exports.columns import COLUMNS
from tg_pipeline.exports.formats import FORMATS
from tg_pipeline.exports.ledger import Entry
from tg_pipeline.quality.rules import RULES
from tg_pipeline.settings import PREFIX, Settings
from tg_pipeline.store.database import Database
from tg_pipeline.store.tables import metadata
from tg_pipeline.store.views import views
from tg_pipeline_tests.cli.test_help import COMMANDS
from tg_pipeline_tests.contracts.test_errors import ALL, BRANCHES
from tg_pipeline_tests.docs.site import Section, Site

TABLES = {**metadata.tables, **views.tables}
CODES = {kind.code: kind for kind in ALL if kind not in {TgPipelineError, *BRANCHES}}
FILE = Entry(
    dataset="messages", format="parquet", entity_id=1, account_id=0, period=date(2024, 1, 1),
    grain="month", path="x", rows=1, bytes=1, sha256="0", schema_version="1.0", data_version="1",
    exporter_version="1", verdict="passed", forced=False, published_at=datetime.now(UTC),
)  # fmt: skip


def told(section: Section) -> dict[str, str]:
    """First and last cell of each row: what it is and what it means."""
    return {row[0]: row[-1] for row in section.rows if row}


def require_all_told(section: Section, names: list[str]) -> None:
    """Just these names are there, and each has a meaning."""
    found = told(section)
    assert list(found) == names
    assert [name for name, meaning in found.items() if not meaning.strip()] == []


def test_every_setting(site: Site) -> None:
    section = site.page("reference/settings/").section("Settings")

    names = [f"{name}{PREFIX}{name.upper()}" for name in Settings.model_fields]
    require_all_told(section, names)
    for row in section.rows[1:]:
        secret = any(row[0].startswith(f"{name}{PREFIX}") for name in Settings.SECRETS)
        assert ("secret" in row[-1]) == secret, row


def test_a_folder_below_home_is_shown_as_the_default(site: Site) -> None:
    rows = site.page("reference/settings/").section("Settings").rows
    shown = {row[0].partition(PREFIX)[0]: row[2] for row in rows if row}

    for name in ("landing", "exports", "inbox"):
        assert shown[name] == f"<home>/{name}"


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_with_its_options_and_examples(site: Site, words: str) -> None:
    section = site.page("reference/commands/").section(f"tg-pipeline {words}")

    command: Any = COMMANDS[words]
    text = " ".join(section.text.split())
    for parameter in command.params:
        names = parameter.opts if parameter.param_type_name == "option" else [parameter.name]
        for name in names:
            assert any(name in re.split(r"[^\w-]+", code) for code in section.code), name
        assert " ".join(parameter.help.replace("`", "").split()) in text
    assert f"tg-pipeline {words}" in section.text.partition("Examples")[2]


@pytest.mark.parametrize("name", TABLES)
def test_every_table_and_column(site: Site, name: str) -> None:
    section = site.page("reference/tables/").section(name)

    require_all_told(section, [column.name for column in TABLES[name].columns])
    assert TABLES[name].info["doc"] in section.text
    for index in TABLES[name].indexes:
        assert str(index.name) in section.code


def test_every_view_is_as_the_migrations_make_it(database: Database) -> None:
    with database.snapshot() as connection:
        found = sa.inspect(connection)
        columns = {
            view: [column["name"] for column in found.get_columns(view, schema=database.schema)]
            for view in found.get_view_names(schema=database.schema)
        }

    described = {
        name: [column.name for column in one.columns] for name, one in views.tables.items()
    }
    assert columns == described


def test_every_record_field(site: Site) -> None:
    page = site.page("reference/records/")

    for name, contract in CONTRACTS.items():
        schema = contract.model_json_schema(mode="serialization")
        parts = schema.pop("$defs", {})
        for heading, part in {name: schema, **parts}.items():
            section = page.section(heading)
            require_all_told(section, list(part.get("properties", {})))
            assert {str(value) for value in part.get("enum", ())} <= section.code


def test_every_published_column(site: Site) -> None:
    section = site.page("reference/columns/").section("Published columns")

    require_all_told(section, [column.name for column in COLUMNS])


def test_every_field_of_the_manifest(site: Site) -> None:
    rendered = manifest.render([replace(FILE, format=name) for name in FORMATS])
    page = site.page("reference/manifest/")

    require_all_told(page.section("Manifest"), ["generated_at", *rendered])
    require_all_told(page.section("files"), list(rendered["files"][0]))


def test_every_rule_and_what_to_do_when_it_fails(site: Site) -> None:
    names = [rule.name for rule in RULES]

    require_all_told(site.page("reference/rules/").section("Rules of quality"), names)
    advice = site.page("how-to/quality-failures/").section("What to do, rule by rule")
    require_all_told(advice, names)


def test_every_error_code_with_its_class_and_exit_code(site: Site) -> None:
    page = site.page("runbook/")

    for branch in BRANCHES:
        expected = [
            [code, str(kind.exit_code), kind.__name__]
            for code, kind in CODES.items()
            if issubclass(kind, branch)
        ]
        rows = [[row[0], *row[2:]] for row in page.section(branch.__name__).rows if row]
        assert rows == expected
    links = {reference for tag, reference in page.references if tag == "a"}
    assert {f"{code}/" for code in CODES} <= links


def test_an_example_of_an_error_is_as_it_is_printed(site: Site) -> None:
    shown = site.page("runbook/").section("Error codes").text
    error = InputMissing(Path("export/result.json"))

    assert f"error: {error.message}\n   do: {error.remedy}\n code: {error.code}" in shown
