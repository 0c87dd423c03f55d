"""The state of the tables is a function of the set of sightings, whatever their order."""

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tg_pipeline.contracts import (
    Chat,
    ChatType,
    DatePrecision,
    Forward,
    IdRange,
    Kind,
    Message,
    Origin,
    Reaction,
    Source,
    content_hash,
)
from tg_pipeline.landing import LandingZone, Shipment, land
from tg_pipeline.store import load as loading
from tg_pipeline.store.database import Database
from tg_pipeline_tests.store import oracle

DAY = datetime(2024, 3, 30, 22, 15, tzinfo=UTC)
CHAT = -1001613744721
MOST_SIGHTINGS = 4


def sighting(chance: random.Random, number: int, tag: str) -> Message:
    """One random sighting; pools are small so that sightings agree, differ and collide."""
    kind = chance.choices(list(Kind), weights=[8, 2, 2])[0]
    text = chance.choice(["", "first", "second\0", "third"]).replace("\0", "\ufffd")
    shift = chance.choices([0, 1, 2, 25, 72], weights=[8, 4, 2, 1, 1])[0]
    return Message(
        source=chance.choice(list(Source)),
        account_id=0,
        entity_id=CHAT,
        id=number,
        date=DAY + timedelta(hours=shift, seconds=chance.choices([0, 7], weights=[20, 1])[0]),
        date_precision=chance.choice(list(DatePrecision)),
        kind=kind,
        sender_id=chance.choice([None, 11, 12]),
        post_author=chance.choice([None, "A", "B"]),
        reply_to_id=chance.choice([None, 5, 6]),
        forward=chance.choice([None, Forward(from_name="x"), Forward(from_id=3)]),
        edited_at=chance.choice([None, DAY + timedelta(days=9), DAY + timedelta(days=10)]),
        text=text,
        views=chance.choice([None, 0, 7]),
        reactions=chance.choice([None, (), (Reaction(type="emoji", emoji="👍", count=2),)]),
        content_hash=None if kind is Kind.UNSUPPORTED else content_hash(text, (), None, None, None),
        observed_at=DAY + timedelta(days=chance.choice([30, 31, 32])),
        raw=json.dumps({"id": number, "tag": tag}).encode(),
    )


def histories(count: int, seed: int) -> list[list[Message]]:
    chance = random.Random(seed)
    return [
        [
            sighting(chance, number, f"{number}.{place}")
            for place in range(chance.randint(1, MOST_SIGHTINGS))
        ]
        for number in range(1, count + 1)
    ]


def arrive(
    database: Database,
    zone: LandingZone,
    arrivals: Sequence[Sequence[Message]],
    ranges: dict[int, oracle.Range],
) -> None:
    """Load one batch for each arrival; `ranges` are complete observations by position."""
    for place, messages in enumerate(arrivals):
        found = ranges.get(place)
        observed_at = found.observed_at if found else DAY + timedelta(days=33)
        chat = Chat(
            source=Source.TELEGRAM, entity_id=CHAT, account_id=0, type=ChatType.SUPERGROUP,
            observed_at=observed_at,
        )  # fmt: skip
        origin = Origin(file_name="test", file_sha256="0" * 64)
        shipment = Shipment(f"arrival{place}", chat, None, origin, observed_at)
        for manifest in land(
            zone, shipment, messages, numbers=itertools.count(), complete=lambda: False
        ):
            complete = (IdRange(account_id=0, low=found.low, high=found.high),) if found else ()
            counts = loading.load(
                database, zone, manifest.model_copy(update={"complete": complete})
            )
            assert counts.read == len(messages)
            assert counts.unchanged >= 0


def held(database: Database) -> Iterator[tuple[int, oracle.State]]:
    """What the database holds, in the oracle's terms."""
    with database.snapshot() as connection:
        rows = connection.execute(sa.text("SELECT * FROM messages")).mappings().all()
        versions = connection.execute(sa.text("SELECT * FROM message_versions")).mappings().all()
        conflicts = connection.execute(
            sa.text("SELECT id, raw FROM quarantine WHERE reason = 'date_conflict'")
        ).all()
    by_id: dict[int, dict[bytes, Any]] = {}
    for version in versions:
        seen = (canonical(version["raw"]), version["first_seen"], version["last_seen"])
        by_id.setdefault(version["id"], {})[bytes(version["content_hash"])] = seen
    refused: dict[int, set[bytes]] = {}
    for number, raw in conflicts:
        refused.setdefault(number, set()).add(canonical(json.loads(bytes(raw))).encode())
    for row in rows:
        yield (
            row["id"],
            oracle.State(
                message(row), by_id.get(row["id"], {}), frozenset(refused.get(row["id"], ()))
            ),
        )


def canonical(raw: Any) -> str:
    return json.dumps({"id": raw["id"], "tag": raw["tag"]})


def message(row: Any) -> dict[str, Any]:
    names = (*oracle.FROM_BEST, *oracle.CARRIED, "date", "date_precision", "views")
    fields = {name: row[name] for name in names}
    fields["content_hash"] = row["content_hash"] and bytes(row["content_hash"])
    fields["forward"] = row["forward"] and Forward(**row["forward"])
    fields["reactions"] = row["reactions"] and tuple(Reaction(**one) for one in row["reactions"])
    seen = {name: row[name] for name in ("first_seen", "last_seen", "deleted_at")}
    return fields | seen | {"raw": canonical(row["raw"]).encode()}


def prove(database: Database, folder: Path, count: int, seed: int) -> None:
    """Every order of arrivals of `count` random histories must end in the oracle's state."""
    sets = histories(count, seed)
    found = [
        oracle.Range(1, count // 2, DAY + timedelta(days=32)),
        oracle.Range(count // 4, count, DAY + timedelta(days=33)),
    ]
    expected = {one[0].id: normal(oracle.state(one, found)) for one in sets}
    chance = random.Random(seed)
    for order in itertools.permutations(range(MOST_SIGHTINGS)):
        zone = LandingZone(folder / "".join(map(str, order)))
        loading.empty_all(database)
        arrivals = [[one[place] for one in sets if place < len(one)] for place in order]
        places = chance.sample(range(MOST_SIGHTINGS + 2), 2)
        for place in sorted(places):
            arrivals.insert(place, [])
        arrive(database, zone, arrivals, dict(zip(places, found, strict=True)))
        assert dict(held(database)) == expected, f"order {order} of seed {seed} differs"


def normal(state: oracle.State) -> oracle.State:
    """An empty list of reactions is kept as null: none were seen."""
    fields = {**state.message, "reactions": state.message["reactions"] or None}
    return oracle.State(fields, state.versions, state.conflicts)


def test_every_order_of_arrivals_gives_the_same_state(database: Database, tmp_path: Path) -> None:
    prove(database, tmp_path, count=400, seed=1)


@pytest.mark.prove
@pytest.mark.timeout(1800)
def test_every_order_of_20_000_histories_gives_the_same_state(
    database: Database, tmp_path: Path
) -> None:
    prove(database, tmp_path, count=20_000, seed=2)


def test_many_sightings_of_one_message_in_one_batch(database: Database, tmp_path: Path) -> None:
    chance = random.Random(3)
    sets = [[sighting(chance, 1, f"1.{place}") for place in range(40)]]
    arrive(database, LandingZone(tmp_path), sets, {})
    assert dict(held(database)) == {1: normal(oracle.state(sets[0], []))}
