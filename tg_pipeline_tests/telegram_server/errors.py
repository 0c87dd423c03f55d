"""Errors as Telegram answers them: a code and a name."""


class RpcFailure(Exception):
    """Ends a request with an rpc_error."""

    def __init__(self, code: int, name: str) -> None:
        super().__init__(f"{code} {name}")
        self.code = code
        self.name = name


def bad(name: str) -> RpcFailure:
    """400: the request itself is wrong."""
    return RpcFailure(400, name)


def unauthorized(name: str) -> RpcFailure:
    """401: nobody is logged in, or not fully."""
    return RpcFailure(401, name)


def forbidden(name: str) -> RpcFailure:
    """403: this account may not."""
    return RpcFailure(403, name)


def too_fast(name: str) -> RpcFailure:
    """420: wait."""
    return RpcFailure(420, name)
