"""Names, links, access hashes, and chats that an account may not see."""

import pytest
from telethon import errors, functions, utils
from telethon.tl import types

from tg_pipeline_tests.telegram_server import Account, TelegramServer, talk
from tg_pipeline_tests.telegram_server.conftest import Town
from tg_pipeline_tests.telegram_server.tl import TL


def test_usernames(server: TelegramServer, town: Town) -> None:
    async def ask(client: TL) -> None:
        assert utils.get_peer_id(await client.get_entity("@HARBOUR")) == town.news.peer_id
        elowen = await client.get_entity("elowen")
        assert (elowen.id, elowen.first_name, elowen.bot) == (town.elowen.id, "Elowen", False)
        assert (await client.get_entity("ferry_bot")).bot
        with pytest.raises(ValueError, match="No user has") as caught:
            await client.get_entity("nobody_here")
        assert isinstance(caught.value.__cause__, errors.UsernameNotOccupiedError)

    talk(server, town.mira, ask)


def test_invitations(server: TelegramServer, town: Town) -> None:
    check = functions.messages.CheckChatInviteRequest

    async def outsider(client: TL) -> None:
        poster = await client(check("AbCdEf"))
        assert (type(poster), poster.title, poster.broadcast) == (
            types.ChatInvite,
            "The Mill",
            True,
        )
        with pytest.raises(errors.InviteHashExpiredError):
            await client(check("nothing"))

    async def member(client: TL) -> None:
        known = await client(check("AbCdEf"))
        assert isinstance(known, types.ChatInviteAlready)
        assert known.chat.id == town.mill.id

    talk(server, town.mira, outsider)
    talk(server, town.joe, member)


def test_private_channels(server: TelegramServer, town: Town) -> None:
    async def peek(client: TL) -> None:
        peer = types.InputPeerChannel(town.mill.id, town.mira.access_hash(town.mill.peer_id))
        with pytest.raises(errors.ChannelPrivateError):
            await client.get_messages(peer)
        with pytest.raises(errors.ChannelPrivateError):
            await client(functions.channels.GetFullChannelRequest(peer))

    talk(server, town.mira, peek)


def test_access_hashes_are_an_accounts_own(server: TelegramServer, town: Town) -> None:
    async def borrow(client: TL) -> None:
        with pytest.raises(errors.ChannelInvalidError):
            await client.get_messages(
                types.InputPeerChannel(town.news.id, town.joe.access_hash(town.news.peer_id))
            )
        with pytest.raises(errors.UserIdInvalidError):
            await client.get_messages(types.InputPeerUser(town.elowen.id, 1))
        with pytest.raises(errors.PeerIdInvalidError):
            await client.get_messages(types.InputPeerEmpty())

    talk(server, town.mira, borrow)


def test_thrown_out(server: TelegramServer, town: Town) -> None:
    async def read(client: TL) -> None:
        await client.get_dialogs()
        atlas = await client.get_input_entity(town.atlas.peer_id)
        assert await client.get_messages(atlas)
        town.world.ban(town.atlas, town.mira)
        with pytest.raises(errors.ChannelPrivateError):
            await client.get_messages(atlas)
        got = await client(functions.channels.GetChannelsRequest([atlas]))
        assert [type(one) for one in got.chats] == [types.ChannelForbidden]
        assert town.atlas.peer_id not in [one.id for one in await client.get_dialogs()]

    talk(server, town.mira, read)


def test_leaving(server: TelegramServer, town: Town) -> None:
    town.world.leave(town.news, town.mira)
    town.world.leave(town.watch, town.mira)

    async def read(client: TL) -> None:
        assert (await client.get_entity("harbour")).left
        assert await client.get_messages("harbour")
        with pytest.raises(errors.ChatIdInvalidError):
            await client.get_messages(types.InputPeerChat(town.watch.id))

    talk(server, town.mira, read)


def test_a_migrated_group_and_its_supergroup(server: TelegramServer, town: Town) -> None:
    async def ask(client: TL) -> None:
        await client.get_dialogs()
        old = await client.get_entity(town.old_atlas.peer_id)
        assert (old.deactivated, old.migrated_to.channel_id) == (True, town.atlas.id)
        atlas = await client.get_input_entity(town.atlas.peer_id)
        full = await client(functions.channels.GetFullChannelRequest(atlas))
        newest = town.mira.box(town.old_atlas.peer_id).ids[-1]
        assert full.full_chat.migrated_from_chat_id == town.old_atlas.id
        assert full.full_chat.migrated_from_max_id == newest
        assert {one.id for one in full.chats} == {town.atlas.id, town.old_atlas.id}

    talk(server, town.mira, ask)


def test_full_answers(server: TelegramServer, town: Town) -> None:
    town.news.shown_members = 12_345

    async def ask(client: TL) -> None:
        full = await client(functions.channels.GetFullChannelRequest("harbour"))
        assert full.full_chat.participants_count == 12_345
        full = await client(functions.messages.GetFullChatRequest(town.watch.id))
        assert {one.user_id for one in full.full_chat.participants.participants} == {
            town.mira.id,
            town.joe.id,
        }
        full = await client(functions.users.GetFullUserRequest("elowen"))
        assert full.users[0].first_name == "Elowen"
        got = await client(functions.messages.GetChatsRequest([town.watch.id]))
        assert [one.title for one in got.chats] == ["Swift Watch"]

    talk(server, town.mira, ask)


def test_protected_chats(server: TelegramServer, town: Town) -> None:
    town.news.noforwards = True

    async def ask(client: TL) -> bool:
        return bool((await client.get_entity("harbour")).noforwards)

    assert talk(server, town.mira, ask)


def test_unknown_methods_are_told_so(server: TelegramServer, mira: Account) -> None:
    async def ask(client: TL) -> None:
        with pytest.raises(errors.InputMethodInvalidError):
            await client(functions.langpack.GetLanguagesRequest("android"))
        assert (await client(functions.help.GetNearestDcRequest())).this_dc == 2
        assert (await client(functions.help.GetAppConfigRequest(0))).config is not None

    talk(server, mira, ask)
