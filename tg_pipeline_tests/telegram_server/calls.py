"""A request without its wrappers: invokeWithLayer, initConnection, takeout and the like."""

from dataclasses import dataclass

from telethon.tl import functions

from tg_pipeline_tests.telegram_server.tl import TL

_WRAPPERS = (
    functions.InvokeWithLayerRequest,
    functions.InitConnectionRequest,
    functions.InvokeWithoutUpdatesRequest,
    functions.InvokeWithTakeoutRequest,
    functions.InvokeWithMessagesRangeRequest,
    functions.InvokeAfterMsgRequest,
    functions.InvokeAfterMsgsRequest,
)


@dataclass(slots=True)
class Call:
    """What is asked, and what the wrappers said of it.

    Attributes:
        wants_updates: Whether the connection may get updates for having asked this.
        layer: The client's TL layer, where it is told.
        app: The client's own name for its version and device.
    """

    request: TL
    takeout_id: int | None = None
    wants_updates: bool = True
    layer: int = 0
    app: str = ""


def unwrap(request: TL) -> Call:
    """Take the wrappers off."""
    call = Call(request)
    while isinstance(call.request, _WRAPPERS):
        _note(call, call.request)
        call.request = call.request.query
    return call


def _note(call: Call, wrapper: TL) -> None:
    if isinstance(wrapper, functions.InvokeWithTakeoutRequest):
        call.takeout_id = wrapper.takeout_id
    elif isinstance(wrapper, functions.InvokeWithoutUpdatesRequest):
        call.wants_updates = False
    elif isinstance(wrapper, functions.InvokeWithLayerRequest):
        call.layer = wrapper.layer
    elif isinstance(wrapper, functions.InitConnectionRequest):
        call.app = f"{wrapper.device_model} {wrapper.app_version}"
