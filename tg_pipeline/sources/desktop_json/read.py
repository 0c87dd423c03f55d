"""The second pass: chats in the order of the file, and inside each its records as a stream."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from tg_pipeline.contracts import Chat, ChatKey, Message, Participant, Rejected
from tg_pipeline.contracts.identity import message_account
from tg_pipeline.errors import ChatIdNotApplicable, InputChanged, InvalidJson
from tg_pipeline.sources.desktop_json.ahead import Ahead
from tg_pipeline.sources.desktop_json.convert import SOURCE, Context, record_id, to_message
from tg_pipeline.sources.desktop_json.identity import (
    USERS_ONLY,
    Identity,
    Known,
    Note,
    NoteCode,
    identify,
    peer,
)
from tg_pipeline.sources.desktop_json.layout import Header, chats, told_as_errors
from tg_pipeline.sources.desktop_json.options import DesktopOptions
from tg_pipeline.sources.desktop_json.reader import Cut, Window, elements
from tg_pipeline.sources.desktop_json.records import Cutter, RecordSlice
from tg_pipeline.sources.desktop_json.repair import one_line
from tg_pipeline.sources.desktop_json.scan import Scan
from tg_pipeline.sources.desktop_json.storable import fields_of, understood_or_unfit
from tg_pipeline.sources.desktop_json.tally import Summary, Tally
from tg_pipeline.sources.storable import storable
from tg_pipeline.sources.unfit import Unfit

DesktopRecord = Message | Participant | Rejected

FIRST_DAY = datetime(2013, 8, 1, tzinfo=UTC)
"""Taken as the time of a file that holds no usable time, so that it never outranks another."""


class ChatPart:
    """One chat of a file: what the file says of it, and its records once, in order.

    Attributes:
        chat: the chat; `chat.account_id` is 0 where it numbers its own messages.
        account_id: the account that exported the file; 0 if unknown.
        notes: what the user should know about it.
    """

    def __init__(self, chat: Chat, identity: Identity, records: Iterator[DesktopRecord]) -> None:
        self.chat = chat
        self.account_id = identity.account_id
        self.notes: tuple[Note, ...] = identity.notes
        self._records = records

    @property
    def key(self) -> ChatKey:
        """The chat's key for folders and partitions."""
        return ChatKey(self.chat.entity_id, self.chat.account_id)

    def records(self) -> Iterator[DesktopRecord]:
        """The chat's records; names of people come before the message that shows them.

        Raises:
            InvalidJson: the structure breaks here. A file that merely ends, ends the records.
        """
        return self._records


class Reading:
    """An export being read: iterate over its chats, and over each one's records before the next.

    A chat left unread is passed over, its records counted like all others.
    """

    def __init__(self, scan: Scan, options: DesktopOptions) -> None:
        self._scan = scan
        self._options = options
        self._zone = options.zone
        self._windows_1251 = scan.encoding == "windows-1251"
        self._observed_at = scan.observed_at or FIRST_DAY
        self._tally = Tally()
        self._window: Window | None = None
        self._fault: InvalidJson | None = None
        self._known = Known(
            file_account=scan.account,
            asked_account=options.account,
            chat_id=options.chat_id,
            numeric_ids=scan.numeric_ids,
            file_sha256=scan.sha256,
        )
        self._parts = self._read()

    def __iter__(self) -> Iterator[ChatPart]:
        return self._parts

    def __next__(self) -> ChatPart:
        return next(self._parts)

    @property
    def offset(self) -> int:
        """How far reading is, in bytes."""
        return self._window.offset if self._window else 0

    @property
    def summary(self) -> Summary:
        """Counts so far; final when the chats are exhausted."""
        return self._tally.summary()

    def _read(self) -> Iterator[ChatPart]:
        source = self._scan.source
        with told_as_errors(source), source.open() as file:
            self._refuse_changed(file)
            if self._options.chat_id is not None:
                self._refuse_several(file)
            window = self._window = Window(file, source)
            try:
                for header in chats(window, windows_1251=self._windows_1251):
                    yield from self._part(window, header)
                _refuse_rest(window)
            except Cut:
                self._tally.truncated_at = window.sound
            self._refuse_changed(file)

    def _part(self, window: Window, header: Header) -> Iterator[ChatPart]:
        ahead = Ahead(self._scan.source, header.offset, self._windows_1251)
        whole = ahead.complete(header)
        identity = identify(whole, self._known, lambda: ahead.senders(whole))
        chat = self._chat(whole, identity)
        context = Context(
            chat=chat,
            account_id=identity.account_id,
            zone=self._zone,
            observed_at=self._observed_at,
            users_only=identity.type in USERS_ONLY,
        )
        self._tally.next_chat()
        records = self._records(window, context) if header.has_messages else iter(())
        yield ChatPart(chat, identity, records)
        for _ in records:
            pass
        if self._fault is not None:
            raise self._fault
        if self._tally.truncated_at is not None:
            raise Cut

    def _chat(self, header: Header, identity: Identity) -> Chat:
        return Chat(
            source=SOURCE,
            entity_id=identity.entity_id,
            account_id=ChatKey.of(identity.entity_id, identity.account_id).account_id,
            type=identity.type,
            is_public=identity.is_public,
            title=header.name,
            observed_at=self._observed_at,
        )

    def _records(self, window: Window, context: Context) -> Iterator[DesktopRecord]:
        cutter = Cutter(window, windows_1251=self._windows_1251)
        try:
            with told_as_errors(self._scan.source):
                for _ in elements(window):
                    yield from self._convert(cutter.cut(), context)
        except InvalidJson as fault:
            self._fault = fault  # or a caller who goes on would read from the middle of nowhere
            raise
        except Cut:
            self._tally.truncated_at = window.sound

    def _convert(self, record: RecordSlice, context: Context) -> Iterator[DesktopRecord]:
        tally = self._tally
        fields: dict[str, Any] = {}
        try:
            understood = understood_or_unfit(record)
            if understood.repairs:
                tally.repaired.update(understood.repairs)
                tally.repaired_records += 1
            fields = fields_of(understood)
            message = to_message(fields, one_line(understood.json), context)
        except Unfit as fault:
            tally.rejected[fault.reason] += 1
            yield self._rejected(record, fields, fault, context)
            return
        tally.messages += 1
        yield from self._names(fields, context)
        yield message

    def _names(self, fields: dict[str, Any], context: Context) -> Iterator[Participant]:
        for label in ("from", "actor"):
            name = fields.get(label)
            if not name or not isinstance(name, str):
                continue
            sender = peer(fields.get(label + "_id"), users_only=context.users_only)
            if sender is not None and self._tally.is_new_name(sender, name):
                yield Participant(
                    source=SOURCE, participant_id=sender, name=name, observed_at=self._observed_at
                )

    def _rejected(
        self, record: RecordSlice, fields: dict[str, Any], fault: Unfit, context: Context
    ) -> Rejected:
        known = record_id(fields)
        entity_id, account_id = context.chat.entity_id, context.account_id
        return Rejected(
            source=SOURCE,
            entity_id=entity_id,
            account_id=message_account(entity_id, 1 if known is None else known, account_id),
            id=known,
            reason=fault.reason,
            detail=storable(fault.detail),
            place=f"{self._scan.source.name} at byte {record.offset}",
            observed_at=self._observed_at,
            raw=record.data,
        )

    def _refuse_changed(self, file: BinaryIO) -> None:
        now = os.fstat(file.fileno())
        if (now.st_size, now.st_mtime_ns) != (self._scan.bytes, self._scan.modified_ns):
            raise InputChanged(self._scan.source.path)

    def _refuse_several(self, file: BinaryIO) -> None:
        window = Window(file, self._scan.source)
        try:
            for number, header in enumerate(chats(window, windows_1251=self._windows_1251)):
                if number:
                    raise ChatIdNotApplicable(self._scan.source.path)
                if header.has_messages:
                    window.skip()
        except Cut:
            return


def _refuse_rest(window: Window) -> None:
    """After the outermost object a file may hold white space only."""
    try:
        window.peek()
    except Cut:
        return
    window.expect(-1, "the end of the file")


def read(scan: Scan, options: DesktopOptions | None = None) -> Reading:
    """Open a scanned file for reading.

    Raises:
        InputChanged: the file is not the one that was scanned.
        ChatIdNotApplicable: a chat id was named for a file with several chats.
    """
    return Reading(scan, options or DesktopOptions())


__all__ = [
    "FIRST_DAY",
    "ChatPart",
    "DesktopRecord",
    "Note",
    "NoteCode",
    "Reading",
    "Summary",
    "read",
]
