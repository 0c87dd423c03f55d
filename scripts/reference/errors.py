"""Every error, with its place in the tree and its page of the runbook."""

from collections.abc import Iterator

from reference import markdown
from reference.markdown import code, summary, table
from tg_pipeline.errors import DataError, Fatal, TgPipelineError, Transient

_ABOUT = """Every failure ends in three lines: what happened and where, what to do, and a code. With
`-v` the traceback follows.

```
error: export/result.json does not exist
   do: Check the path; give the result.json of an export, its folder or a .zip of it.
 code: input.missing
```

The code has a page here. In Python they are the classes of `tg_pipeline.errors`, with `message`,
`remedy`, `code` and `exit_code` as attributes."""
_BRANCHES = (
    (Transient, "The same command may succeed later, without anybody changing anything."),
    (Fatal, "Somebody has to change settings, rights or surroundings."),
    (DataError, "The input is at fault. Other files and windows are worked on all the same."),
)


def page() -> str:
    """Codes by what may be done about them."""
    parts = (part for branch, meaning in _BRANCHES for part in _described(branch, meaning))
    return markdown.page("Error codes", _ABOUT, *parts)


def _described(branch: type[TgPipelineError], meaning: str) -> Iterator[str]:
    yield f"## {branch.__name__}"
    yield meaning
    rows = (
        (f"[{code(kind.code)}]({kind.code}.md)", summary(kind), code(kind.exit_code), kind.__name__)
        for kind in branch.__subclasses__()
        if kind.__module__.startswith("tg_pipeline.errors.")
    )
    yield table(("code", "what happened", "exit code", "class"), rows)
