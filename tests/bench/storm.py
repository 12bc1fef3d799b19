"""A storm of events while nobody takes them: `python -m tests.bench.storm [--events N --over S --down S]`.

Real node store on disk, real threads of the monitor's outbox, real bash, a real SMTP server and a real HTTP receiver
that are down for the first while. Prints what arrived how often, and how long the durable writes of a failover took
before, while and after. Exits with 1 where an event was lost or doubled.
"""

from __future__ import annotations

import argparse
import re
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller

from app.adapters.clock import SystemClock
from app.adapters.mailer import SmtpMailer
from app.adapters.scripts import BashScripts
from app.adapters.store import SqliteNodeStore
from app.adapters.systemlog import SyslogLines
from app.adapters.webhook import HttpWebhook
from app.core.alertsettings import MailSettings, Security, WebhookSettings
from app.core.notices import Channel
from app.migrate import migrate_node_store
from app.ports import Node
from jobs import alertsettings
from jobs.monitor.board import Board
from jobs.monitor.duty import DutyThread
from jobs.monitor.loglines import LogDuty
from jobs.monitor.mails import MailDuty
from jobs.monitor.scripts import ScriptDuty
from jobs.monitor.situation import SituationReader
from jobs.monitor.webhooks import WebhookDuty
from tests.unit.monitor.world import World

TOKEN = re.compile(r"storm-\d{6}")
PROBE_EVERY_S = 0.5
QUIET_S = 10.0
"""The same writes are timed for so long before the storm."""
DRAINED_WITHIN_S = 900.0
LOOPBACK = "127.0.0.1"


class Receivers:
    """An SMTP server, an HTTP receiver and a system log; the first two are down until `open`."""

    def __init__(self, folder: Path) -> None:
        self.seen: dict[str, Counter[str]] = {each.value: Counter() for each in Channel}
        self.mails = 0
        self.smtp_port, self.http_port = _free_port(), _free_port()
        self.log_path = folder / "log"
        self._log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._log.bind(str(self.log_path))
        threading.Thread(target=self._read_log, daemon=True).start()
        self._smtp: Controller | None = None
        self._http: ThreadingHTTPServer | None = None

    def open(self) -> None:
        self._smtp = Controller(self, hostname=LOOPBACK, port=self.smtp_port)
        self._smtp.start()
        seen = self.seen[Channel.WEBHOOK.value]

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                seen.update(set(TOKEN.findall(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing: the counts say it."""

        self._http = ThreadingHTTPServer((LOOPBACK, self.http_port), Receiver)
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        body = message_from_bytes(envelope.content, policy=policy.default).get_body(("plain",))
        text = "" if body is None else str(body.get_content())
        events = re.findall(r"^Event: .*?(storm-\d{6})", text, re.MULTILINE)
        self.seen[Channel.MAIL.value].update(events)
        self.mails += 1
        return "250 taken"

    def _read_log(self) -> None:
        while line := self._log.recv(65536):
            self.seen[Channel.LOG.value].update(set(TOKEN.findall(line.decode())))

    def close(self) -> None:
        if self._smtp is not None:
            self._smtp.stop()
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()


class Probe:
    """Times, again and again, what a failover writes before it may go on: the new term, and its event."""

    def __init__(self, store: SqliteNodeStore) -> None:
        self._store = store
        self._phase = "quiet"
        self.times: dict[str, list[float]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def enter(self, phase: str) -> None:
        self._phase = phase

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stopping.wait(PROBE_EVERY_S):
            number += 1
            started = time.perf_counter()
            self._store.change_state(lambda state: replace(state, term=state.term + 1))
            self._store.add_event(f"probe:{number}", "StandbyOnline", ("StandbyOnline", "probe", "alpha"))
            self.times.setdefault(self._phase, []).append(time.perf_counter() - started)

    def report(self) -> list[str]:
        return [
            f"{phase:<22}{len(times):>6} times  median {1000 * statistics.median(times):6.1f} ms"
            f"  95 % {1000 * _percentile(times):7.1f} ms  longest {1000 * max(times):7.1f} ms"
            for phase, times in self.times.items()
        ]


def _percentile(times: list[float]) -> float:
    return sorted(times)[min(int(0.95 * len(times)), len(times) - 1)]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def build(folder: Path, receivers: Receivers) -> tuple[Node, SqliteNodeStore]:
    """A node whose outbox is real; what the outbox does not touch is fake."""
    path = folder / "node.db"
    migrate_node_store(path)
    store = SqliteNodeStore(path, SystemClock(), node_name=lambda: "alpha")
    ran = folder / "ran"
    store.save_applied({"HAAlertEmail": "ops@example.org", "HAAdminAlertScript": f'echo "$2" >> {ran}\n'})
    node = replace(
        World().node, clock=SystemClock(), store=store, mailer=SmtpMailer(), webhook=HttpWebhook(),
        system_log=SyslogLines(receivers.log_path), scripts=BashScripts(),
    )  # fmt: skip
    alertsettings.save(node, MailSettings(LOOPBACK, receivers.smtp_port, Security.NONE, "hapair@alpha.example"), "")
    alertsettings.save(node, WebhookSettings(f"http://{LOOPBACK}:{receivers.http_port}/hook"), "secret")
    return node, store


def run(events: int, over_s: float, down_s: float, say: Callable[[str], None]) -> bool:
    """Whether every event arrived exactly once on every way."""
    with tempfile.TemporaryDirectory(prefix="hapair-storm-") as name:
        folder = Path(name)
        receivers = Receivers(folder)
        node, store = build(folder, receivers)
        board = Board(SituationReader(node).read(node.clock.monotonic()))
        duties = (ScriptDuty(node, board), MailDuty(node, board), WebhookDuty(node, board), LogDuty(node))
        threads = [DutyThread(each) for each in duties]
        probe = Probe(store)
        time.sleep(QUIET_S)
        for thread in threads:
            thread.start()
        started = time.monotonic()
        probe.enter("storm")
        _send(store, threads, events, over_s)
        say(f"{events} events stored within {time.monotonic() - started:.0f} s; mail server and webhook are down")
        probe.enter("down")
        time.sleep(max(down_s - (time.monotonic() - started), 0.0))
        say(f"mail server and webhook are up after {time.monotonic() - started:.0f} s")
        probe.enter("up again")
        receivers.open()
        drained = _drained(store, receivers, events, folder / "ran")
        say(f"all delivered {time.monotonic() - started:.0f} s after the first event; {receivers.mails} mails")
        probe.stop()
        for thread in threads:
            thread.stop()
        for thread in threads:
            thread.join()
        receivers.close()
        good = [_judge(channel, counts, events, say) for channel, counts in receivers.seen.items()]
        say("Durable writes of a failover (new term and its event):")
        for line in probe.report():
            say("  " + line)
        store.close()
        return drained and all(good)


def _send(store: SqliteNodeStore, threads: list[DutyThread], events: int, over_s: float) -> None:
    first = time.monotonic()
    for number in range(events):
        time.sleep(max(first + number * over_s / events - time.monotonic(), 0.0))
        token = f"storm-{number:06d}"
        store.add_event(token, "StandbyOffline", ("StandbyOffline", token, "alpha"))
        for thread in threads:
            thread.wake()


def _drained(store: SqliteNodeStore, receivers: Receivers, events: int, ran: Path) -> bool:
    """Whether all that waits has gone out in time; the probe's own events go the same ways."""
    deadline = time.monotonic() + DRAINED_WITHIN_S
    script = receivers.seen[Channel.SCRIPT.value]
    while time.monotonic() < deadline:
        time.sleep(1)
        script.clear()
        script.update(TOKEN.findall(ran.read_text()) if ran.exists() else [])
        if all(len(counts) >= events for counts in receivers.seen.values()):
            return True
    return False


def _judge(channel: str, counts: Counter[str], events: int, say: Callable[[str], None]) -> bool:
    doubled = sum(1 for count in counts.values() if count > 1)
    lost = events - len(counts)
    say(f"  {channel:<8} {len(counts):>5} arrived, {lost} lost, {doubled} doubled")
    return lost == 0 and doubled == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--over", type=float, default=60.0, help="seconds in which they happen")
    parser.add_argument("--down", type=float, default=600.0, help="seconds for which nobody takes mails and calls")
    options = parser.parse_args()
    return 0 if run(options.events, options.over, options.down, lambda line: print(line, flush=True)) else 1


if __name__ == "__main__":
    sys.exit(main())
