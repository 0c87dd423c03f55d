"""Exports of one chat at three moments, in every order: exactly the versions that there were."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tg_pipeline.contracts import ChatKey
from tg_pipeline.flows import Archive, ImportOptions, import_files
from tg_pipeline.generator import (
    ACCOUNT,
    ChatPlan,
    DesktopStyle,
    History,
    history,
    write_desktop_json,
)
from tg_pipeline_tests.flows.conftest import NewArchive
from tg_pipeline_tests.state import archived

ORDERS = tuple(itertools.permutations(range(3)))
DAY = timedelta(days=1)
START, END = datetime(2024, 6, 20, tzinfo=UTC), datetime(2024, 9, 1, tzinfo=UTC)
MOMENTS = (END - 40 * DAY, END, END + 500 * DAY)
TEAHOUSE = ChatPlan(
    "supergroup", 1_700_000_002, "Teahouse", 700, START, END, people=12, before_migration=120
)
ALL_KINDS = (
    ChatPlan("channel", 1_700_000_001, "Lantern", 150, START, END, public=True),
    TEAHOUSE,
    ChatPlan("private", 700_400_017, "Elowen", 150, START, END, first_id=20_001),
    ChatPlan("saved", ACCOUNT.id, "Saved Messages", 40, START, END, first_id=30_001),
    ChatPlan("group", 900_003, "Mill", 120, START, END, people=6, first_id=40_001),
    ChatPlan("supergroup", 1_700_000_004, "Gone", 80, START, END, people=4, left=True),
)
OLD_START, OLD_END = datetime(2019, 1, 10, tzinfo=UTC), datetime(2019, 3, 20, tzinfo=UTC)
OLD_MOMENTS = (OLD_START + 30 * DAY, OLD_END, OLD_END + 300 * DAY)
OLD = replace(TEAHOUSE, start=OLD_START, end=OLD_END)
ZONES = ("Europe/London", "Europe/Berlin", "Europe/London")
"""Of the exporting computers: an hour apart."""

MANY = 5
"""Edits that must be in the sample, or it proves nothing."""


@dataclass(frozen=True)
class Export:
    path: Path
    options: ImportOptions


Key = tuple[int, int, int]
Versions = dict[Key, tuple[frozenset[bytes], bytes | None]]


def written(
    folder: Path,
    histories: Sequence[History],
    moments: Sequence[datetime],
    style: DesktopStyle,
    options: ImportOptions,
) -> list[Export]:
    """Three exports by three computers whose owners call people by other names."""
    exports = []
    people = sorted({peer.id for one in histories for peer in one.cast.people})
    for place, moment in enumerate(moments):
        names: dict[int, str | None] = {
            peer: None if (peer + place) % 7 == 0 else f"Contact {peer} {place}"
            for peer in people
            if (peer + place) % 3 == 0
        }
        path = folder / f"result{place}.json"
        chosen = replace(
            style,
            timezone=ZONES[place],
            contact_names=names,
            first_number=1 + 1000 * place,
        )
        write_desktop_json(path, histories, as_of=moment, style=chosen)
        zone = None if style.unix_times else ZONES[place]
        exports.append(Export(path, replace(options, timezone=zone)))
    return exports


def imported(archive: Archive, exports: Sequence[Export]) -> None:
    for export in exports:
        (report,) = import_files(archive, [export.path], export.options)
        assert report.error is None, report.reason
        counts = report.counts
        assert counts.read == counts.new + counts.updated + counts.unchanged + counts.quarantined
        assert min(counts.new, counts.updated, counts.unchanged) >= 0


def true_versions(histories: Sequence[History], moments: Sequence[datetime]) -> Versions:
    return {
        (one.entity_id, truth.account_id, truth.id): (frozenset(truth.hashes), truth.current)
        for one in histories
        for truth in one.versions(moments)
    }


def held_versions(archive: Archive) -> Versions:
    with archive.database.snapshot() as connection:
        messages = connection.execute(
            sa.text("SELECT entity_id, account_id, id, content_hash FROM messages")
        ).all()
        versions = connection.execute(
            sa.text("SELECT entity_id, account_id, id, content_hash, current FROM message_versions")
        ).all()
    hashes: dict[Key, set[bytes]] = {}
    for entity, account, number, digest, _current in versions:
        hashes.setdefault((entity, account, number), set()).add(bytes(digest))
    return {
        (entity, account, number): (
            frozenset(hashes.get((entity, account, number), ())),
            digest and bytes(digest),
        )
        for entity, account, number, digest in messages
    }


def quarantined_ids(archive: Archive) -> set[Key]:
    with archive.database.snapshot() as connection:
        rows = connection.execute(
            sa.text("SELECT chat_entity_id, account_id, id FROM quarantine")
        ).all()
    return {(entity, account, number) for entity, account, number in rows}


def gone(archive: Archive) -> set[Key]:
    with archive.database.snapshot() as connection:
        rows = connection.execute(
            sa.text("SELECT entity_id, account_id, id FROM messages WHERE deleted_at IS NOT NULL")
        ).all()
    return {(entity, account, number) for entity, account, number in rows}


def prove(
    new_archive: NewArchive,
    exports: Sequence[Export],
    histories: Sequence[History],
    moments: Sequence[datetime],
) -> Archive:
    """Every order of import must end in the generator's versions, and in the same tables."""
    truth = true_versions(histories, moments)
    unreadable = {key for key, (hashes, _) in truth.items() if not hashes}
    readable = {key: found for key, found in truth.items() if key not in unreadable}
    assert sum(len(hashes) > 1 for hashes, _ in readable.values()) >= MANY
    first = None
    for order in ORDERS:
        archive = new_archive()
        imported(archive, [exports[place] for place in order])
        assert held_versions(archive) == readable, order
        assert quarantined_ids(archive) == unreadable, order
        first = first or archived(archive.database)
        assert archived(archive.database) == first, order
    return archive


def test_every_order_gives_the_true_versions(new_archive: NewArchive, tmp_path: Path) -> None:
    chat = history(TEAHOUSE, 12)
    options = ImportOptions(account=ACCOUNT.id)
    exports = written(tmp_path, [chat], MOMENTS, DesktopStyle(), options)
    archive = prove(new_archive, exports, [chat], MOMENTS)
    assert gone(archive) == set()


def test_every_order_of_account_exports_gives_the_true_versions(
    new_archive: NewArchive, tmp_path: Path
) -> None:
    chats = [history(plan, 2) for plan in ALL_KINDS]
    style = DesktopStyle(account_export=True)
    exports = written(tmp_path, chats, MOMENTS, style, ImportOptions())
    archive = prove(new_archive, exports, chats, MOMENTS)
    with archive.database.snapshot() as connection:
        known = connection.execute(sa.text("SELECT entity_id, account_id, type FROM chats")).all()
    expected = {(str(ChatKey.of(plan.entity_id, ACCOUNT.id)), plan.kind) for plan in ALL_KINDS}
    assert {(str(ChatKey(entity, account)), kind) for entity, account, kind in known} == expected


@pytest.mark.parametrize("read_as", [ZONES, ("Europe/London",) * 3], ids=["right", "an hour off"])
def test_every_order_of_old_exports_gives_the_true_versions(
    new_archive: NewArchive, tmp_path: Path, read_as: tuple[str, ...]
) -> None:
    """Old files hold local times; whoever names a wrong zone gets other dates, no versions."""
    chat = history(OLD, 3)
    options = ImportOptions(account=ACCOUNT.id)
    exports = written(tmp_path, [chat], OLD_MOMENTS, DesktopStyle(era="old"), options)
    exports = [
        replace(export, options=replace(export.options, timezone=zone))
        for export, zone in zip(exports, read_as, strict=True)
    ]
    prove(new_archive, exports, [chat], OLD_MOMENTS)


def test_every_order_of_complete_exports_gives_the_true_deletions(
    new_archive: NewArchive, tmp_path: Path
) -> None:
    chat = history(TEAHOUSE, 5)
    options = ImportOptions(account=ACCOUNT.id, complete=True)
    exports = written(tmp_path, [chat], MOMENTS, DesktopStyle(), options)
    archive = prove(new_archive, exports, [chat], MOMENTS)
    expected = {
        (chat.entity_id, truth.account_id, truth.id)
        for truth in chat.versions(MOMENTS)
        if truth.deleted
    }
    assert len(expected) > 3
    assert gone(archive) == expected
