"""A page of history as records, and what ids it answers for."""

from collections.abc import Iterator
from dataclasses import dataclass

from tg_pipeline.contracts import IdRange, Record, Rejected, Source
from tg_pipeline.contracts.identity import message_account
from tg_pipeline.sources.telegram.convert import (
    MIGRATION_SHIFT,
    Context,
    Unfit,
    participants,
    to_message,
)
from tg_pipeline.sources.telegram.history import Gap, Page, Unknown


@dataclass(frozen=True, slots=True)
class Converted:
    """A page's records, and the ids it covers in the archive's own numbering.

    Attributes:
        records: messages, records that could not be understood, names of people and chats.
        rejected: how many could not be understood.
        fetched: ids that were asked for.
        complete: ids of which everything that exists is among the records.
    """

    records: list[Record]
    rejected: int
    fetched: tuple[IdRange, ...]
    complete: tuple[IdRange, ...]


def converted(page: Page, context: Context) -> Converted:
    """Convert a page; what cannot be understood becomes a rejected record, nothing is dropped."""
    records: list[Record] = []
    unread: list[Gap] = []
    for message in page.messages:
        try:
            records.append(to_message(message, context))
        except Unfit as fault:
            unread.append(Gap(message.id, message.id))
            records.append(
                _rejected(context, fault.reason, fault.detail, message.id, bytes(message))
            )
    for unknown in page.unknown:
        unread.append(Gap(unknown.after + 1, unknown.before - 1))
        records.append(_unknown(context, unknown))
    records.extend(participants(page.users, page.chats, context.observed_at))
    return Converted(
        records,
        rejected=len(unread),
        fetched=(_range(page.covers, context),),
        complete=tuple(_range(one, context) for one in _without(page.shows, unread)),
    )


def _unknown(context: Context, unknown: Unknown) -> Rejected:
    """A message of a kind that came after this version of Telethon."""
    only = unknown.after + 1 if unknown.before - unknown.after == 2 else None
    detail = f"constructor {unknown.constructor:#010x} is not known to this version of Telethon"
    where = f"between ids {unknown.after} and {unknown.before}"
    return _rejected(context, "unknown_constructor", f"{detail}; {where}", only, unknown.data)


def _rejected(
    context: Context, reason: str, detail: str, message_id: int | None, raw: bytes
) -> Rejected:
    number = None if message_id is None else message_id + _shift(context)
    return Rejected(
        source=Source.TELEGRAM,
        entity_id=context.entity_id,
        account_id=_account(context),
        id=number,
        reason=reason,
        detail=detail,
        place=f"messages.getHistory of {context.entity_id}",
        observed_at=context.observed_at,
        raw=raw,
    )


def _shift(context: Context) -> int:
    return MIGRATION_SHIFT if context.before_migration else 0


def _account(context: Context) -> int:
    """Whose numbering the page's ids are; 0 where the chat's own."""
    sign = -1 if context.before_migration else 1
    return message_account(context.entity_id, sign, context.account_id)


def _range(gap: Gap, context: Context) -> IdRange:
    shift = _shift(context)
    return IdRange(account_id=_account(context), low=gap.low + shift, high=gap.high + shift)


def _without(shown: Gap | None, unread: list[Gap]) -> Iterator[Gap]:
    """What is left of the ids when those are taken away that were not understood."""
    if shown is None:
        return
    low = shown.low
    for one in sorted(unread, key=lambda one: one.low):
        if low < one.low:
            yield Gap(low, one.low - 1)
        low = max(low, one.high + 1)
    if low <= shown.high:
        yield Gap(low, shown.high)
