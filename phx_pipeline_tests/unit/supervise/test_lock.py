"""One supervisor per data folder: who holds the lock, and who is told so."""

import os
import threading
import time
from dataclasses import replace
from pathlib import Path
from socket import gethostname

import pytest

from phx_pipeline.errors import ServiceError
from phx_pipeline.settings import Settings, load_settings
from phx_pipeline.supervise import lock
from phx_pipeline.supervise.lock import Lock, Part, Running, last_end_s, running

_CLOCK_S = 0.1  # so exact is the clock that files are dated by
_NOBODY = 2**22 + 1  # more than the kernel gives


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(
        load_settings({}), data_dir=tmp_path / "data", dagster_dir=tmp_path / "dagster"
    )


def supervisor(*, pid: int = 0, host: str = "") -> Running:
    part = Part(name="webserver", pid=12, address=3000)
    return Running(
        supervisor_id="a1b2",
        pid=pid or os.getpid(),
        host=host or gethostname(),
        started_at="2026-03-02T15:00:00+00:00",
        url="http://127.0.0.1:3000",
        parts=(part,),
    )


def test_who_holds_it_is_told_until_the_end(settings: Settings) -> None:
    assert running(settings) is None
    never = last_end_s(settings)

    with Lock(settings) as held:
        held.tell(supervisor())

        assert running(settings) == supervisor()
        assert last_end_s(settings) == never == 0
        began_s = time.time()

    assert running(settings) is None
    assert last_end_s(settings) >= began_s - _CLOCK_S


def test_a_second_one_is_refused_with_pid_and_url_and_writes_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    with Lock(settings) as held:
        held.tell(supervisor())
        before = contents(tmp_path)

        with pytest.raises(ServiceError) as refused, Lock(settings):
            pytest.fail("both have it")

        assert contents(tmp_path) == before
    assert f"pid {os.getpid()}" in str(refused.value)
    assert "http://127.0.0.1:3000" in str(refused.value)
    assert "since 2026-03-02 08:00:00 MST" in str(refused.value)
    assert "phx down" in str(refused.value)
    assert "\n" not in str(refused.value)


def contents(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_of_many_at_once_exactly_one_wins(settings: Settings) -> None:
    start, done = threading.Barrier(8), threading.Barrier(8)
    won: list[bool] = []

    def try_it() -> None:
        start.wait()
        try:
            with Lock(settings) as held:
                held.tell(supervisor())
                won.append(True)
                done.wait()
        except ServiceError:
            won.append(False)
            done.wait()

    threads = [threading.Thread(target=try_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(won) == [False] * 7 + [True]


def test_two_data_folders_do_not_share_a_store_of_dagster(settings: Settings) -> None:
    other = replace(settings, data_dir=settings.data_dir.with_name("other"))

    with Lock(settings) as held:
        held.tell(supervisor())

        with pytest.raises(ServiceError, match="is served already"), Lock(other):
            pytest.fail("both have it")

    with Lock(other):
        assert running(settings) is None


@pytest.mark.parametrize("text", ["", "{", '{"pid": 4194305}'])
def test_what_a_dead_one_left_in_the_file_is_nobody(
    settings: Settings, text: str
) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / "supervisor.lock").write_text(text)

    assert running(settings) is None
    with Lock(settings) as held:
        held.tell(supervisor())
        assert running(settings) == supervisor()


def test_a_reader_of_a_dead_ones_file_does_not_keep_a_new_one_out(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Lock(settings) as held:
        held.tell(supervisor(pid=_NOBODY))
        monkeypatch.setattr(lock, "_PATIENCE_S", 0.1)

        with pytest.raises(ServiceError, match="does not say"):
            running(settings)
        with pytest.raises(ServiceError, match="does not say"), Lock(settings):
            pytest.fail("both have it")


def test_one_on_another_computer_is_believed(settings: Settings) -> None:
    elsewhere = supervisor(pid=_NOBODY, host="elsewhere")

    with Lock(settings) as held:
        held.tell(elsewhere)

        assert running(settings) == elsewhere
        with pytest.raises(ServiceError, match="on elsewhere"), Lock(settings):
            pytest.fail("both have it")


def test_a_longer_story_is_followed_by_a_shorter_one(settings: Settings) -> None:
    with Lock(settings) as held:
        held.tell(supervisor())
        held.tell(replace(supervisor(), parts=()))

        assert running(settings) == replace(supervisor(), parts=())
