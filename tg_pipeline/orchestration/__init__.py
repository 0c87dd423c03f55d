"""The Dagster shell: assets, checks, sensors and schedules that call flows, and nothing else.

    defs = build_definitions(settings, key_prefix=["telegram"])

Loaded when it is asked for: web server and daemon only need our storage, which is in this package.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tg_pipeline.orchestration.build import build_definitions

__all__ = ["build_definitions"]


def __getattr__(name: str) -> Any:
    """The public names, from the modules they are in."""
    if name in __all__:
        from tg_pipeline.orchestration import build  # noqa: PLC0415

        return getattr(build, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
