"""The server as a process of its own, to try commands and to measure against.

    python -m tg_pipeline_tests.telegram_server --messages 20000 --key-file /tmp/telegram.pem

prints one line of JSON: where it listens, its key, and how to log in. It runs until it is told to
end (SIGTERM or Ctrl+C). Without --messages it has the generator's demo chats.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tg_pipeline.generator import ChatPlan, demo_histories, history
from tg_pipeline.generator.model import ChatKind
from tg_pipeline_tests.telegram_server.accounts import Account
from tg_pipeline_tests.telegram_server.filling.chats import add_account, fill
from tg_pipeline_tests.telegram_server.password import Password
from tg_pipeline_tests.telegram_server.server import TelegramServer
from tg_pipeline_tests.telegram_server.state import API_HASH, API_ID
from tg_pipeline_tests.telegram_server.world import World

_KINDS: tuple[ChatKind, ...] = ("supergroup", "channel", "group", "private")
_START, _END = datetime(2022, 1, 3, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)


def main() -> None:
    """Serve until told to end."""
    arguments = _arguments()
    world = World()
    account = add_account(world)
    if arguments.password:
        account.password = Password(arguments.password)
    for plan in _plans(arguments):
        fill(world, account, history(plan, arguments.seed), as_of=plan.end)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with TelegramServer(world, port=arguments.port, gzip=arguments.gzip) as server:
        server.faults.latency = arguments.latency_ms / 1000
        key = server.write_key(arguments.key_file)
        print(json.dumps(_facts(server, account, key, arguments)), flush=True)
        try:
            while True:
                signal.pause()
        except KeyboardInterrupt:
            pass


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tg_pipeline_tests.telegram_server",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    temporary = Path(tempfile.gettempdir()) / f"telegram-{os.getpid()}.pem"
    parser.add_argument("--port", type=int, default=0, help="where to listen; any free by default")
    parser.add_argument("--chats", type=int, default=1, help="how many chats of generated messages")
    parser.add_argument("--messages", type=int, default=0, help="in each of them; 0: demo chats")
    parser.add_argument("--seed", type=int, default=1, help="of the generator")
    parser.add_argument("--latency-ms", type=float, default=0, help="that every answer takes")
    parser.add_argument("--password", default="", help="the account's second factor")
    parser.add_argument("--gzip", action="store_true", help="pack large answers")
    parser.add_argument("--key-file", type=Path, default=temporary, help="for the public RSA key")
    return parser.parse_args()


def _plans(arguments: argparse.Namespace) -> Iterator[ChatPlan]:
    """The demo's chats, or so many of each kind in turn, the first a supergroup."""
    if not arguments.messages:
        yield from (one.plan for one in demo_histories(arguments.seed))
        return
    for number in range(arguments.chats):
        kind = _KINDS[number % len(_KINDS)]
        yield ChatPlan(
            kind,
            (1_700_001_000 if kind in ("supergroup", "channel") else 900_100) + number,
            f"Lanterns {number + 1}",
            arguments.messages,
            _START,
            _END,
            people=200 if kind == "supergroup" else 20,
            first_id=1 + number * arguments.messages * 2,
            public=kind in ("supergroup", "channel"),
        )


def _facts(
    server: TelegramServer, account: Account, key: Path, arguments: argparse.Namespace
) -> dict[str, object]:
    channels = [(one, one.box) for one in server.world.channels.values() if len(one.box)]
    titles = {one.peer_id: one.title for one, _ in channels}
    boxes = {one.peer_id: box for one, box in channels} | account.boxes
    return {
        "server": server.address,
        "port": server.port,
        "key_file": str(key),
        "api_id": API_ID,
        "api_hash": API_HASH,
        "phone": account.phone,
        "code": account.code,
        "password": arguments.password or None,
        "session": server.session(account),
        "pid": os.getpid(),
        "chats": [
            {"entity_id": peer_id, "title": titles.get(peer_id), "messages": len(box)}
            for peer_id, box in boxes.items()
        ],
    }


if __name__ == "__main__":
    main()
