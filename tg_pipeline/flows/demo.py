"""The demo: invented chats written as an account export, imported and published."""

from dataclasses import dataclass
from pathlib import Path

from tg_pipeline.exports import Published
from tg_pipeline.files import durable, make_folder
from tg_pipeline.flows.archive import Archive
from tg_pipeline.flows.import_files import FileReport, import_files
from tg_pipeline.flows.progress import Progress, silent
from tg_pipeline.flows.publish import refresh
from tg_pipeline.generator import DEMO_END, DesktopStyle, demo_histories, write_desktop_json


@dataclass(frozen=True, slots=True)
class Demonstrated:
    """What the demo made."""

    sample: Path
    report: FileReport
    published: Published


def demonstrate(archive: Archive, progress: Progress = silent) -> Demonstrated:
    """Write the sample export, import it and publish its chats. Repeating it changes nothing."""
    sample = archive.settings.home / "sample" / "result.json"
    make_folder(sample.parent)
    with durable(sample) as file:
        write_desktop_json(
            file, demo_histories(), as_of=DEMO_END, style=DesktopStyle(account_export=True)
        )
    (report,) = import_files(archive, [sample], progress=progress)
    return Demonstrated(sample, report, refresh(archive, progress=progress))
