"""The rule that what was landed is loaded: damage to tables and landing in, findings out."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

import pytest
import zstandard

from tg_pipeline.contracts import BatchManifest, ChatKey, codec
from tg_pipeline.store.load import load
from tg_pipeline_tests.quality.house import CHANNEL, DAY, PRIVATE, START, House, rejected, sent

RULE = "loaded_is_landed"
JANUARY_1, JANUARY_2, MARCH_1 = "2024-01-01", "2024-01-02", "2024-03-01"


def filled(house: House) -> BatchManifest:
    """Two messages on one day, one on the next, one in March, and two rejected records."""
    return house.take_in(
        sent(1), rejected(9), sent(2), sent(3, START + DAY), sent(4, START + 60 * DAY),
        rejected(None),
    )  # fmt: skip


def nowhere(manifest: BatchManifest) -> str:
    return f"landed in batch {manifest.batch}, and nowhere in the tables"


def test_messages_that_are_gone_are_found(house: House) -> None:
    manifest = filled(house)
    house.run("DELETE FROM messages WHERE id IN (2, 4)")
    what = nowhere(manifest)
    assert house.found(RULE) == [(JANUARY_1, 2, what), (MARCH_1, 4, what)]


def test_a_day_that_is_gone_with_its_count_is_found(house: House) -> None:
    manifest = filled(house)
    house.run("DELETE FROM messages WHERE id = 3")
    house.run("DELETE FROM chat_days WHERE day = '2024-01-02'")
    assert house.found(RULE) == [(JANUARY_2, 3, nowhere(manifest))]
    assert house.found("true_day_counts") == []


def test_a_message_whose_date_was_corrected_is_where_it_belongs(house: House) -> None:
    house.take_in(sent(1, START + timedelta(hours=13), source="telegram_desktop_json"))
    house.take_in(sent(1, START))
    assert house.rows("SELECT day, rows FROM chat_days WHERE rows > 0")[0][1] == 1
    assert house.found(RULE) == []


def test_a_sighting_that_contradicts_another_is_in_quarantine(house: House) -> None:
    house.take_in(sent(1, START))
    conflicting = house.take_in(sent(1, START + 7 * DAY))
    assert house.rows("SELECT batch, reason FROM quarantine") == [
        (conflicting.batch, "date_conflict")
    ]
    assert house.found(RULE) == []


@pytest.mark.parametrize(
    ("where", "lines"), [("line = 3", [3]), ("id IS NULL", [7]), ("true", [7, 3])]
)
def test_rejected_records_that_are_gone_count_to_the_first_day(
    house: House, where: str, lines: list[int]
) -> None:
    manifest = filled(house)
    what = f"rejected in batch {manifest.batch} line {{}}, not in quarantine"
    expected = {3: (JANUARY_1, 9, what.format(3)), 7: (JANUARY_1, None, what.format(7))}
    house.run(f"DELETE FROM quarantine WHERE {where}")
    assert house.found(RULE) == [expected[line] for line in lines]


def test_date_conflicts_do_not_stand_in_for_rejected_records(house: House) -> None:
    """Records in quarantine were only counted, and a batch's date conflicts counted too."""
    house.take_in(sent(1, START))
    house.take_in(sent(1, START + 7 * DAY), sent(2), rejected(9))
    house.run("DELETE FROM quarantine WHERE reason <> 'date_conflict'")
    assert [(day, number) for day, number, _ in house.found(RULE)] == [(JANUARY_1, 9)]


def test_a_rejected_record_of_the_same_id_does_not_stand_in_for_a_message(house: House) -> None:
    """A message was found where any record of its id was in quarantine."""
    house.take_in(rejected(1), sent(2))
    manifest = house.take_in(sent(1))
    house.run("DELETE FROM messages WHERE id = 1")
    assert house.found(RULE) == [(JANUARY_1, 1, nowhere(manifest))]


def test_a_chat_is_not_held_to_what_was_landed_of_others(house: House) -> None:
    house.take_in(sent(1, START, PRIVATE), chat=PRIVATE)
    other = ChatKey(PRIVATE.entity_id, 778)
    manifest = house.take_in(sent(1, START, other), chat=other)
    house.run("DELETE FROM messages WHERE account_id = 778")
    assert house.found(RULE, PRIVATE) == []
    assert house.found(RULE, other) == [(JANUARY_1, 1, nowhere(manifest))]


# ---- batches --------------------------------------------------------------------------------


def test_a_batch_that_is_landed_and_not_loaded_fails_its_days(house: House) -> None:
    filled(house)
    manifest = house.land(sent(4, START + 60 * DAY), sent(5, START + 61 * DAY))
    what = f"batch {manifest.batch} is not loaded"
    assert house.found(RULE) == [(MARCH_1, None, what), ("2024-03-02", None, what)]
    load(house.database, house.zone, manifest)
    assert house.found(RULE) == []


def cut(house: House, manifest: BatchManifest) -> None:
    path = house.zone.data_path(manifest)
    path.write_bytes(path.read_bytes()[:-1])


def changed(house: House, manifest: BatchManifest) -> None:
    path = house.zone.data_path(manifest)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def lost(house: House, manifest: BatchManifest) -> None:
    house.zone.data_path(manifest).unlink()


@pytest.mark.parametrize("damage", [cut, changed, lost])
def test_a_damaged_batch_fails_all_days_that_it_holds(
    house: House, damage: Callable[[House, BatchManifest], None]
) -> None:
    """Only the first day that was asked about failed, which need not even be one of the batch."""
    house.take_in(sent(8, START - 10 * DAY), sent(9, START + 90 * DAY))
    manifest = filled(house)
    damage(house, manifest)
    found = house.found(RULE)
    assert [day for day, _, _ in found] == [JANUARY_1, JANUARY_2, MARCH_1]
    told = f"batch {manifest.batch}.jsonl.zst is damaged: "
    assert all(what.startswith(told) for _, _, what in found)


def test_a_manifest_that_is_gone_fails_all_days_its_batch_was_loaded_for(house: House) -> None:
    house.take_in(sent(8, START - 10 * DAY), sent(9, START + DAY), sent(7, START + 90 * DAY))
    manifest = filled(house)
    path = house.zone.data_path(manifest).with_name(f"{manifest.batch}.json")
    path.unlink()
    found = house.found(RULE)
    assert [day for day, _, _ in found] == [JANUARY_1, JANUARY_2, MARCH_1]
    assert all("its manifest is not readable" in what for _, _, what in found)


def test_a_manifest_that_never_could_be_read_fails_the_whole_chat(house: House) -> None:
    filled(house)
    (house.zone.folder / str(CHANNEL) / "other.json").write_text("{half")
    assert [day for day, _, _ in house.found(RULE)] == [JANUARY_1, JANUARY_2, MARCH_1]


def test_a_batch_of_an_older_schema_is_read_as_loading_reads_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lifted(fields: codec.Fields) -> codec.Fields:
        account = fields.pop("account")
        return {**fields, "account_id": account}

    monkeypatch.setitem(codec.UPCASTERS, "0.9", ("1.0", lifted))
    manifest = as_of_schema_0_9(house, house.land(sent(1), sent(2)))
    load(house.database, house.zone, manifest)
    assert house.found(RULE) == []
    house.run("DELETE FROM messages WHERE id = 2")
    assert house.found(RULE) == [(JANUARY_1, 2, nowhere(manifest))]


def as_of_schema_0_9(house: House, manifest: BatchManifest) -> BatchManifest:
    """The batch as an earlier version would have landed it: `account`, not `account_id`."""
    lines = b"".join(line + b"\n" for line in house.zone.lines(manifest))
    older = lines.replace(b'"account_id":', b'"account":')
    older = older.replace(b'"schema_version":"1.0"', b'"schema_version":"0.9"')
    data = zstandard.ZstdCompressor().compress(older)
    path = house.zone.data_path(manifest)
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    written = manifest.model_copy(update={"schema_version": "0.9", "sha256": digest})
    path.with_name(f"{manifest.batch}.json").write_text(written.model_dump_json())
    return written
