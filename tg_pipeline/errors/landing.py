"""Landed batches."""

from collections.abc import Sequence
from pathlib import Path

from tg_pipeline.errors.base import DataError, Fatal


class LandingIncomplete(Fatal):
    """Batches that the tables were made of are gone, and nobody has withdrawn them."""

    code = "landing.incomplete"

    def __init__(self, folder: object, chat: str, missing: Sequence[str]) -> None:
        self.missing = tuple(missing)
        super().__init__(
            f"{folder} lacks {len(missing)} batches that the tables of chat {chat} were made of,"
            f" {missing[0]} among them",
            remedy="Mount or restore that place, or correct TG_PIPELINE_LANDING; the tables are as"
            " they were. If the batches are gone for good, `tg-pipeline db rebuild` makes the"
            " tables anew from what is left.",
        )


class BatchDamaged(DataError):
    """A landed batch does not match its manifest."""

    code = "landing.batch_damaged"

    def __init__(self, batch: Path | str, reason: str) -> None:
        super().__init__(
            f"batch {batch} is damaged: {reason}",
            remedy="Restore it from a backup, or delete the batch and its .json "
            "and import its file again.",
        )
        self.batch = str(batch)


class ContractTooNew(DataError):
    """A record was written by a newer version of tg_pipeline."""

    code = "contract.too_new"

    def __init__(self, place: str, found: str, known: str) -> None:
        super().__init__(
            f"{place} has schema_version {found}, this version knows up to {known}",
            remedy="Upgrade tg-pipeline.",
        )
