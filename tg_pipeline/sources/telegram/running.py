"""Telegram in a thread with a loop of its own, and people in the thread they sit at.

A question may stand unanswered for minutes while the connection has to be kept alive, and Ctrl-C
has to end it at once; so coroutines have their questions asked in the thread that called `run`.
"""

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, Generic, TypeAlias, TypeVar

from tg_pipeline.logs import get_logger

T = TypeVar("T")
_Questions: TypeAlias = SimpleQueue[Callable[[], None] | None]
_questions: ContextVar[_Questions | None] = ContextVar("questions", default=None)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end; works inside of a running loop as well."""
    talk = _Talk(work)
    thread = Thread(target=copy_context().run, args=(talk.begin,), name="telegram", daemon=True)
    thread.start()
    try:
        while (question := talk.questions.get()) is not None:
            question()
    except BaseException:  # Ctrl-C
        talk.cancel()
        thread.join()
        raise
    thread.join()
    return talk.outcome.result()


async def in_front(function: Callable[..., T], *arguments: object) -> T:
    """Call something in the thread that called `run`, where people can be asked."""
    questions = _questions.get()
    if questions is None:
        return function(*arguments)
    answer: concurrent.futures.Future[T] = concurrent.futures.Future()

    def put() -> None:
        if answer.set_running_or_notify_cancel():
            try:
                answer.set_result(function(*arguments))
            except Exception as error:  # noqa: BLE001 - it is raised where the answer is awaited
                answer.set_exception(error)

    questions.put(put)
    return await asyncio.wrap_future(answer)


class _Talk(Generic[T]):
    """One coroutine in its thread."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self.questions: _Questions = SimpleQueue()
        self.outcome: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._work = work
        self._begun = Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    def begin(self) -> None:
        try:
            self.outcome.set_result(asyncio.run(self._main()))
        except BaseException as error:  # noqa: BLE001 - it is raised where `run` was called
            self.outcome.set_exception(error)
        finally:
            self._begun.set()
            self.questions.put(None)

    def cancel(self) -> None:
        self._begun.wait()
        if self._loop is not None and self._task is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._task.cancel)

    async def _main(self) -> T:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        self._loop.set_exception_handler(_noted)
        _questions.set(self.questions)
        self._begun.set()
        return await self._work


def _noted(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What Telethon's tasks leave behind is told by its kind alone: its text may hold anything."""
    kind = type(context.get("exception")).__name__
    get_logger().debug("telegram.left_behind", what=context["message"], error=kind)
