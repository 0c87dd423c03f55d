"""The list of chats: pinned ones first, then by their newest message."""

from typing import NamedTuple

from telethon.tl import functions, types

from tg_pipeline_tests.telegram_server.answers.registry import Ask, answers
from tg_pipeline_tests.telegram_server.answers.service import state
from tg_pipeline_tests.telegram_server.box import Box, Record
from tg_pipeline_tests.telegram_server.errors import RpcFailure
from tg_pipeline_tests.telegram_server.paging import MOST
from tg_pipeline_tests.telegram_server.peers import Channel
from tg_pipeline_tests.telegram_server.records import tl_peer
from tg_pipeline_tests.telegram_server.tl import TL, Opaque

_ARCHIVE = 1


class Entry(NamedTuple):
    """One chat of the list; entries sort by the time of their newest message."""

    date: int
    top_id: int
    peer_id: int


@answers(functions.messages.GetDialogsRequest)
def get_dialogs(ask: Ask, request: TL) -> TL:
    """A page of the list; pinned chats only where they are not excluded."""
    entries = [one for one in _entries(ask) if _in_folder(ask, one, request.folder_id)]
    pinned = [one for one in entries if one.peer_id in ask.account.pinned]
    pinned.sort(key=lambda one: ask.account.pinned.index(one.peer_id))
    others = sorted(set(entries) - set(pinned), reverse=True)
    first = _offset(ask, request)
    rest = [one for one in others if first is None or one < first]
    ordered = rest if request.exclude_pinned or first is not None else [*pinned, *rest]
    chosen = ordered[: min(request.limit, MOST)]
    dialogs, messages, chats, users = _packed(ask, chosen)
    if len(chosen) == len(entries):
        return types.messages.Dialogs(dialogs, messages, chats, users)
    return types.messages.DialogsSlice(len(entries), dialogs, messages, chats, users)


@answers(functions.messages.GetPeerDialogsRequest)
def get_peer_dialogs(ask: Ask, request: TL) -> TL:
    """Some chats of the list by name."""
    chosen = []
    for named in request.peers:
        peer_id = ask.readable(named.peer).peer_id
        top = _box(ask, peer_id).top
        chosen.append(Entry(top.date if top else 0, top.id if top else 0, peer_id))
    return types.messages.PeerDialogs(*_packed(ask, chosen), state(ask, request))


def _entries(ask: Ask) -> list[Entry]:
    tops = (
        (peer_id, _box(ask, peer_id).top) for peer_id in (*ask.account.boxes, *ask.account.chats)
    )
    return [Entry(top.date, top.id, peer_id) for peer_id, top in tops if top is not None]


def _in_folder(ask: Ask, entry: Entry, folder: int | None) -> bool:
    return folder is None or (folder == _ARCHIVE) == (entry.peer_id in ask.account.archived)


def _offset(ask: Ask, request: TL) -> Entry | None:
    """The entry after which the page begins."""
    if not request.offset_date or not request.offset_date.timestamp():
        return None
    try:
        peer_id = ask.peer(request.offset_peer).peer_id
    except RpcFailure:
        peer_id = 0
    return Entry(int(request.offset_date.timestamp()), request.offset_id, peer_id)


def _packed(
    ask: Ask, entries: list[Entry]
) -> tuple[list[TL], list[Opaque], list[Opaque], list[Opaque]]:
    """Dialogs, their newest messages, and all chats and users these name."""
    tops = [(one, _box(ask, one.peer_id).top) for one in entries]
    present = [(one, top) for one, top in tops if top is not None]
    peers = [one.peer_id for one in entries] + [id_ for _, top in present for id_ in top.peers]
    chats, users = ask.view.named(peers)
    messages = [_shown(ask, one, top) for one, top in present]
    return [_dialog(ask, one) for one in entries], messages, chats, users


def _shown(ask: Ask, entry: Entry, top: Record) -> Opaque:
    if (entry.peer_id, top.id) in ask.state.faults.garbled:
        return Opaque(top.garbled())
    return Opaque(top.seen_by(ask.account.id))


def _dialog(ask: Ask, entry: Entry) -> TL:
    peer = ask.view.peer(entry.peer_id)
    return types.Dialog(
        tl_peer(entry.peer_id),
        top_message=entry.top_id,
        read_inbox_max_id=entry.top_id,
        read_outbox_max_id=0,
        unread_count=0,
        unread_mentions_count=0,
        unread_reactions_count=0,
        unread_poll_votes_count=0,
        notify_settings=types.PeerNotifySettings(),
        pinned=entry.peer_id in ask.account.pinned,
        pts=peer.pts if isinstance(peer, Channel) else None,
        folder_id=_ARCHIVE if entry.peer_id in ask.account.archived else None,
    )


def _box(ask: Ask, peer_id: int) -> Box:
    return ask.world.box(ask.view.peer(peer_id), ask.account)
