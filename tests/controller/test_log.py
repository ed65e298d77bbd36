"""Log lines as a program's standard error really shows them: piped, under journald, on a terminal."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HEAD = "import structlog\nfrom controller.log import configure\nconfigure({level!r})\nlog = structlog.get_logger()\n"


def program(lines: str, level: str = "info") -> list[str]:
    return [sys.executable, "-c", HEAD.format(level=level) + lines]


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "JOURNAL_STREAM"}}
    return {**kept, "TERM": "xterm", **more}


def piped(lines: str, level: str = "info", **more: str) -> list[str]:
    """What the program writes to a pipe, line by line; nothing goes to standard output."""
    called = program(lines, level)
    found = subprocess.run(called, cwd=ROOT, env=environment(**more), check=True, capture_output=True, text=True)
    assert found.stdout == ""
    return found.stderr.splitlines()


def journalled(lines: str) -> list[str]:
    """The same where the pipe is what JOURNAL_STREAM names."""
    reading, writing = os.pipe()
    found = os.fstat(writing)
    stream = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
    subprocess.run(program(lines, "debug"), cwd=ROOT, env=environment(**stream), stderr=writing, check=True)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return pipe.read().splitlines()


def on_a_terminal(lines: str, **more: str) -> str:
    ours, theirs = pty.openpty()
    try:
        subprocess.run(program(lines), cwd=ROOT, env=environment(**more), stderr=theirs, check=True)
        return os.read(ours, 10_000).decode()
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_piped_line_is_logfmt_with_its_event_first_and_a_time() -> None:
    (line,) = piped("log.info('device-offline', target='device/cab-mairie', cause='no answer', attempts=3)")
    assert line.startswith("event=device-offline ")
    fields = set(re.findall(r'(\w+)=("[^"]*"|\S+)', line))
    assert {("target", "device/cab-mairie"), ("cause", '"no answer"'), ("attempts", "3"), ("level", "info")} <= fields
    assert re.search(r"timestamp=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line)


def test_what_a_stranger_wrote_stays_within_its_line() -> None:
    lines = piped("log.info('override-set', reason='works\\nevent=fake level=\"critical\"', by='ops')")
    assert len(lines) == 1
    assert "\\n" in lines[0]


def test_the_level_is_a_floor() -> None:
    lines = "log.debug('a'); log.info('b'); log.warning('c'); log.error('d')"
    assert [line.split()[0] for line in piped(lines, "warning")] == ["event=c", "event=d"]
    assert len(piped(lines, "debug")) == 4


def test_under_journald_each_line_has_its_priority_and_no_time_of_its_own() -> None:
    lines = journalled("log.debug('a'); log.info('b', x=1); log.warning('c'); log.error('d'); log.critical('e')")
    assert [line[:3] for line in lines] == ["<7>", "<6>", "<4>", "<3>", "<2>"]
    assert lines[1] == "<6>event=b x=1 level=info"


def test_a_pipe_that_is_not_the_journal_has_no_priorities() -> None:
    """A shell that systemd started hands JOURNAL_STREAM down to everything in it."""
    (line,) = piped("log.info('b')", JOURNAL_STREAM="9:12345")
    assert line.startswith("event=b")
    assert "timestamp=" in line


def test_an_exception_is_one_line_for_the_journal() -> None:
    lines = journalled("try:\n    1 / 0\nexcept ZeroDivisionError:\n    log.exception('a bug')")
    assert len(lines) == 1
    assert lines[0].startswith("<3>event=")
    assert "ZeroDivisionError" in lines[0]


def test_secrets_are_redacted_by_their_name() -> None:
    (line,) = piped("log.info('x', password='hunter2', mqtt_Password='hunter2', api_token='hunter2', user='ops')")
    assert "hunter2" not in line
    assert line.count("***") == 3
    assert "user=ops" in line


def test_a_terminal_has_colours_unless_told_otherwise() -> None:
    line = "log.info('device-online', target='device/a')"
    assert "\x1b[" in on_a_terminal(line)
    assert "\x1b[" not in on_a_terminal(line, NO_COLOR="1")
    assert "\x1b[" in on_a_terminal(line, NO_COLOR=""), "empty is not set (no-color.org)"


def test_a_pipe_never_has_colours() -> None:
    assert "\x1b" not in "".join(piped("log.error('x', y=1)"))
