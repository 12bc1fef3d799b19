"""The walls of the house: what the rest of hapair may ask of the world, and in which words.

Each Protocol has one real adapter in `app/adapters` and one fake in `tests/fakes`, and both pass the
same tests in `tests/contract`. Adapters raise the errors of `app.core.errors` and nothing else.
Times are aware UTC datetimes, durations seconds, sizes bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from app.core.facts import DatabaseFacts
from app.core.rescues import Rescue, RescueEntry
from app.core.state import NodeState
from app.ports_activity import CommonLog

Json = dict[str, Any]
Progress = Callable[[int, int | None], None]
"""Called with (bytes done, bytes in all or None)."""


class Clock(Protocol):
    """Time, so that tests can own it."""

    def now(self) -> datetime: ...
    def monotonic(self) -> float: ...
    def sleep(self, seconds: float) -> None: ...


class Pinger(Protocol):
    """ICMP echo."""

    def ping(self, addresses: Sequence[str], timeout_s: float) -> dict[str, float | None]:
        """Round trip in ms of one echo for each address (IPv4, IPv6 or name), None where no answer came in time.

        All are pinged at once; a name that does not resolve within the time counts as no answer; never raises.
        """
        ...


# --- node store -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Actor:
    """Who does something: a person, a token, or a part of hapair itself."""

    name: str
    """User name, `token:<label>`, `root` on the command line, or `hapair` for the monitor."""
    address: str = ""
    """Network address the request came from, empty where there is none."""


@dataclass(frozen=True)
class ConfigRecord:
    """Draft and applied configuration, by the manual's field names."""

    applied: Json
    draft: Json | None
    version: int
    """Grows with every change of the draft or the applied configuration; it is the ETag."""
    saved_by: str | None
    saved_at: datetime | None
    failed: str | None
    """The message of the last APPLY of this draft if it failed, else None."""


@dataclass(frozen=True)
class StepRecord:
    name: str
    title: str
    state: str = "pending"
    """pending, running, done, failed, undoing, undone, skipped"""
    done: int = 0
    """Bytes, rows or files done."""
    total: int | None = None
    detail: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class JobRecord:
    id: str
    kind: str
    """A value of app.core.roles.Change, or `reseed`, `rejoin`, `resume`, `upgrade` …"""
    state: str
    """queued, running, succeeded, failed, reverted"""
    arguments: Json
    steps: tuple[StepRecord, ...]
    message: str
    actor: str
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: Json | None = None
    """`{code, title, detail, hint}` of the error that ended it."""
    memory: Json = field(default_factory=dict)
    """What steps must remember between runs (folders moved aside, positions); written before it is relied on."""


@dataclass(frozen=True)
class EventRecord:
    id: int
    key: str
    """Unique on this node: the same key is stored once, so an event runs at most once."""
    kind: str
    """Failover, StandbyOffline, StandbyOnline, ManualSwitch, RaiseAlarm, ClearAlarm, or one of ours."""
    at: datetime
    node: str
    """Hostname of the node on which it happened."""
    parameters: tuple[str, ...]
    detail: str = ""
    deliveries: Json = field(default_factory=dict)
    """By channel (`script`, `mail`): {state: pending|claimed|done|failed|skipped, at, detail}."""


@dataclass(frozen=True)
class AlarmRecord:
    code: str
    text: str
    raised_at: datetime


@dataclass(frozen=True)
class ActivityRecord:
    id: int
    at: datetime
    node: str
    actor: str
    address: str
    action: str
    outcome: str
    detail: Json


DELIVERY_CHANNELS = ("script", "mail")
"""Each event waits for delivery by each of these."""


class NodeStore(Protocol):
    """The durable memory of this node: SQLite in WAL mode with full fsync. Every write is on disk on return.

    Used by the API, the worker, the monitor and the forced command at the same time, in separate processes.
    """

    # who this node is
    def state(self) -> NodeState: ...
    def change_state(self, change: Callable[[NodeState], NodeState]) -> NodeState:
        """`change` applied to the stored state in one exclusive transaction, and stored.

        Raises LocalFailure (code `term-went-back`) if the term would become lower, and stores nothing then.
        """
        ...

    # configuration
    def config(self) -> ConfigRecord: ...
    def save_draft(self, draft: Json | None, expected_version: int | None, actor: Actor) -> ConfigRecord:
        """Store (or with None discard) the draft. Raises NotAllowed (code `stale-draft`) if the version moved on."""
        ...

    def save_applied(self, applied: Json, *, keep_draft: bool = False) -> ConfigRecord:
        """Store the applied configuration and drop the draft; a draft that is kept keeps what its author changed, and
        follows in all else (app.core.config.rebased)."""
        ...

    def draft_failed(self, message: str | None) -> None: ...
    def save_pairing_key(self, fingerprint: str, private_key: str) -> None:
        """Remember a generated pairing key (OpenSSH private key text); it replaces an older unused one."""
        ...

    def pairing_key(self, fingerprint: str) -> str | None:
        """The unused private key with that fingerprint, else None."""
        ...

    def retire_pairing_key(self, fingerprint: str) -> None: ...
    def pairing_key_retired(self, fingerprint: str) -> bool: ...

    # jobs
    def create_job(self, kind: str, arguments: Json, steps: Sequence[StepRecord], actor: Actor) -> JobRecord:
        """A queued job. Raises NotAllowed (code `job-running`) while another one is queued or running."""
        ...

    def job(self, job_id: str) -> JobRecord | None: ...
    def jobs(self, *, before: str | None = None, limit: int = 50) -> list[JobRecord]: ...
    def active_job(self) -> JobRecord | None: ...
    def update_job(self, job_id: str, **changes: Any) -> JobRecord:
        """Change state, message, error, memory, started_at or ended_at."""
        ...

    def update_step(self, job_id: str, name: str, **changes: Any) -> None: ...

    # events, alarms, activity
    def add_event(self, key: str, kind: str, parameters: Sequence[str], detail: str = "") -> EventRecord | None:
        """The stored event, or None if one with this key is there already."""
        ...

    def events(self, *, before: int | None = None, limit: int = 50) -> list[EventRecord]: ...
    def claim_delivery(self, channel: str) -> EventRecord | None:
        """The oldest event whose delivery by `channel` is pending, now claimed by the caller alone, or None."""
        ...

    def finish_delivery(self, event_id: int, channel: str, state: str, detail: str = "") -> None: ...
    def raise_alarm(self, code: str, text: str) -> bool:
        """Whether the alarm is new; an alarm that is up already keeps its time, its text is refreshed."""
        ...

    def clear_alarm(self, code: str) -> AlarmRecord | None:
        """The alarm that was up and no longer is, or None."""
        ...

    def alarms(self) -> list[AlarmRecord]: ...
    def add_activity(self, actor: Actor, action: str, outcome: str, detail: Json) -> ActivityRecord: ...
    def activity(
        self,
        *,
        before: int | None = None,
        limit: int = 50,
        actor: str | None = None,
        action: str | None = None,
        node: str | None = None,
    ) -> list[ActivityRecord]: ...
    def activity_after(self, entry: int, limit: int) -> list[ActivityRecord]:
        """The entries later than that one, oldest first. Their numbers go up and are never used again."""
        ...

    # small durable notes of the monitor (near-misses, last verified, …)
    def note(self, key: str) -> Json | None: ...
    def save_note(self, key: str, value: Json) -> None: ...
    def keep_room(self) -> None:
        """Disk space is set aside inside the store, so that its writes go on for a while when the disk is full. What
        was set aside before is used again: calling it at each start costs no more space."""
        ...


# --- database ---------------------------------------------------------------------------------------------------

REPLICATION_USER = "hapair_replication"
"""The account that `Database.ensure_accounts` makes, with which the other server replicates and probes."""
REPLICATION_SECRET = "replication-password"  # noqa: S105 - the name under which Keys keeps it
"""The name under which `Keys.secret` keeps the password of that account."""


@dataclass(frozen=True)
class ReplicationSource:
    """Where a replica gets its data from."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    authority: str = ""
    """Path of the PEM file with the source's certificate (its own authority)."""


@dataclass(frozen=True)
class RescueReport:
    """What a former primary alone has, as it was put into a folder before anything is discarded."""

    folder: str
    transactions: int
    rows_by_table: Mapping[str, int]
    """Rows inserted, changed or deleted, by `schema.table`."""
    spans: tuple[str, ...]
    """`domain-server-first…last` for each writer."""
    rewindable: bool
    """Whether `rewind` can undo them: only changes of rows, all in transactional tables, each with a whole old row."""
    obstacle: str
    """Why not, in a sentence; empty where it is rewindable."""
    files: tuple[str, ...]
    """Names within the folder: readable SQL, then the raw binary logs."""


class Database(Protocol):
    """The local MariaDB server, spoken to as its manager over the local socket, each call on a fresh connection
    unless said otherwise. Raises LocalFailure (codes `database-down`, `database-refused`, `database-timeout`).
    """

    def facts(self, timeout_s: float = 2.0) -> DatabaseFacts: ...
    def probe_write(self, term: int, timeout_s: float) -> None:
        """A row with the term and the time is committed and durable (the beat row, replicated). Fresh connection.

        Raises LocalFailure `standby-silent` where the row is durable here and only the standby's acknowledgement is
        missing: the database itself is well."""
        ...

    def data_bytes(self) -> int: ...
    def ensure_accounts(self, replication_password: str | None = None) -> None:
        """The schema `hapair`, its beat table and (with a password) the replication account exist. Idempotent."""
        ...

    def fence(self, timeout_s: float) -> str:
        """Read-only, client connections closed; returns the position. Also where commits hang in a semi-sync wait or
        LOCK TABLES holds: those are ended, unacknowledged."""
        ...

    def lift(self) -> None:
        """Writable. Idempotent."""
        ...

    def set_semi_sync(self, enabled: bool) -> None:
        """Primary side. On: each commit waits (AFTER_SYNC) for one replica, without end; off: waiting commits go on."""
        ...

    def close_clients(self) -> int:
        """All connections but the system's, replication's and the manager's are closed; how many."""
        ...

    def start_replication(self, source: ReplicationSource, position: str | None = None) -> None:
        """Replicates from `source` over verified TLS by GTID. `position` sets gtid_slave_pos first (after a seed)."""
        ...

    def stop_receiver(self) -> None:
        """Nothing more is received; returns within 0.2 s also when the source is dead."""
        ...

    def drain(self, timeout_s: float) -> str:
        """All that was received is applied; the position. Raises LocalFailure `drain-timeout` with what is missing."""
        ...

    def wait_for(self, position: str, timeout_s: float) -> bool:
        """Whether `position` was applied in time."""
        ...

    def end_replication(self) -> None:
        """Replication is stopped and forgotten (STOP and RESET SLAVE ALL). Only after `drain`."""
        ...

    def probe_remote(self, host: str, port: int, timeout_s: float) -> bool:
        """Whether the primary's database at host:port accepts a fresh connection and a real write (secondary's second
        look at the primary, with the stored replication account; a write that only waits for this standby's
        acknowledgement counts). Raises LocalFailure `database-refused` where no account is stored."""
        ...

    def contains(self, theirs: str, ours: str | None = None) -> bool:
        """Whether the history `ours` (this server's when None) holds every transaction of the position `theirs`."""
        ...

    def reload_certificates(self) -> None: ...

    # seeding
    def send_seed(self, write: Callable[[bytes], None]) -> None:
        """A consistent physical copy (mariadb-backup xbstream) is written, ending with its position inside."""
        ...

    def receive_seed(self, chunks: Iterator[bytes], staging: str, progress: Progress) -> str:
        """The stream is unpacked and prepared in the folder `staging`, owned by the server's account and synced to
        disk; returns the GTID position it ends at."""
        ...

    def switch_data(self, staging: str, aside: str) -> None:
        """With the server stopped: the data folder is moved to `aside` and `staging` takes its place, durably.
        Idempotent: may be repeated after a crash at any point."""
        ...

    def switch_back(self, aside: str) -> None:
        """Reverse of switch_data; idempotent."""
        ...

    def discard(self, folder: str) -> None:
        """A staged copy, or data that was moved aside and exists elsewhere too, is gone from the disk. Idempotent.
        Raises LocalFailure (code `not-discardable`) for the data folder itself and for what is not beside it."""
        ...

    # the return of a former primary
    def rescue(self, base_position: str, folder: str) -> RescueReport:
        """Every transaction beyond `base_position` (the other's promotion point) is in `folder`, durably: as SQL for
        people and as raw binary logs. The server is running and fenced, or starts read-only. Nothing is changed in
        it; where the folder is whole already, its report is returned. Raises LocalFailure `rescue-failed`."""
        ...

    def rewind(self, base_position: str) -> None:
        """The data is as it was at `base_position` and the binary log begins there, so that `start_replication`
        (without a position) goes on from it. Only after `rescue`, on a fenced server; may be repeated after a crash.
        Raises LocalFailure `rewind-refused` (it would not be exact: seed again) or `rewind-failed`."""
        ...


# --- the other server ---------------------------------------------------------------------------------------------


class Peer(Protocol):
    """The paired server, over its peer sshd with pinned keys. Connections are kept and renewed inside."""

    def request(self, verb: str, body: Json, timeout_s: float) -> Json:
        """The reply. Raises PeerUnreachable (codes `peer-unreachable`, `peer-timeout`) or PeerRefused (the peer's own
        code, title, detail and hint)."""
        ...

    def open_seed(self, timeout_s: float) -> AbstractContextManager[Iterator[bytes]]:
        """The primary's seed stream, in chunks; raises PeerUnreachable when it breaks off or ends unclean."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class PairingKey:
    """What GENERATE makes on the primary."""

    fingerprint: str
    """`SHA256:…`, the value that is pasted into the secondary."""
    private_key: str = field(repr=False)
    """OpenSSH private key text (Ed25519); it stays on the primary."""


class PairingListener(Protocol):
    """The secondary's end of the first contact; it listens from its making until `stop`."""

    @property
    def retired(self) -> bool:
        """Whether the fingerprint has been used: nothing more is accepted."""
        ...

    def stop(self) -> None:
        """Nobody listens any more; requests under way are broken off. Idempotent."""
        ...


class Pairing(Protocol):
    """The first contact, authenticated both ways by the pasted fingerprint alone."""

    def generate_pairing_key(self) -> PairingKey: ...
    def listen(
        self, fingerprint: str, handle: Callable[[str, Json], Json], refused: Callable[[str, str], None]
    ) -> PairingListener:
        """Listens on the pairing port for the one who has the key with this fingerprint. `handle(verb, body)` answers
        (or raises a HapairError, which the other side gets); after the first successful `pair` the value is used up.
        `refused(address, reason)` is called for each one turned away. Both are called from threads of the listener.

        Raises LocalFailure (code `pairing-port-busy`), InvalidInput (code `fingerprint-invalid`).
        """
        ...

    def request(
        self, address: str, fingerprint: str, private_key: str, verb: str, body: Json, timeout_s: float
    ) -> Json:
        """One request to the secondary's listener at `address`. Verbs: `facts`, `pair`.

        Raises PeerUnreachable (code `peer-unreachable`: nobody listens, with the hint that the secondary needs a saved
        draft), PeerRefused (codes `fingerprint-mismatch`, `fingerprint-used`, or the peer's own).
        """
        ...


@dataclass(frozen=True)
class OwnIdentity:
    """The permanent keys of this node; made once, at installation."""

    host_key: str
    client_key: str
    certificate: str


class Keys(Protocol):
    """The files with this node's keys, readable by root only, and what sshd and MariaDB read of the peer's."""

    def identity(self) -> OwnIdentity: ...
    def make_certificate(self, address: str, hostname: str) -> str:
        """A new self-signed EC P-256 certificate for the database server, in place; returns the PEM."""
        ...

    def pin_peer(self, host_key: str, client_key: str, certificate: str, address: str) -> None:
        """The peer may log in with its key, and only its host key and certificate are accepted. Durable, atomic."""
        ...

    def unpin_peer(self) -> None: ...
    def peer_authority(self) -> str:
        """Path of the PEM file to verify the peer's database with."""
        ...

    def secret(self, name: str) -> str | None: ...
    def save_secret(self, name: str, value: str) -> None: ...


# --- files --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BatchReport:
    files: int
    bytes: int
    deleted: int
    duration_s: float
    complete: bool
    """False when some files could not be sent; they stay on the list, and `detail` names them."""
    detail: str = ""


class Mirror(Protocol):
    """The tree of files: watched and pushed on the primary, received on the secondary."""

    def watch(self) -> None:
        """Changes are collected from now on, and a full pass is due; a batch that is being received from an earlier
        primary is broken off. Idempotent."""
        ...

    def unwatch(self) -> None: ...
    def pending(self) -> int:
        """Changes collected and not yet pushed; a lost watch counts as one change and forces a full pass."""
        ...

    def trouble(self) -> str:
        """Why changes are found by repeated full passes only, in a sentence; empty while the watch works."""
        ...

    def push(
        self,
        term: int,
        *,
        full: bool,
        progress: Progress | None = None,
        verify: bool = False,
        allow_mass_delete: bool = False,
    ) -> BatchReport:
        """Collected changes (or, with `full`, every difference) are on the peer, and on its disk. `verify` with `full`
        compares contents instead of sizes and times. Raises PeerUnreachable, PeerRefused (codes `stale-term`,
        `mass-delete`, `receiver-busy` and the peer's own) or LocalFailure (`mirror-failed`); then nothing is forgotten.
        """
        ...

    def receive(self, options: Sequence[str], check: Callable[[], None]) -> int:
        """The receiving end of the peer's push, on this process's input and output, into the tree; the exit code.

        What was received is on disk then. One batch is received at a time; `check`, which raises where the batch is not
        welcome, is asked when its turn has come. The options are trusted.

        Raises PeerRefused (code `receiver-busy`) while another batch is being received.
        """
        ...

    def close(self) -> None:
        """The watch and the kept connection are gone. Idempotent."""
        ...

    def size(self) -> tuple[int, int]:
        """(files, bytes) of the tree here."""
        ...

    def move_aside(self, name: str) -> str:
        """This node's own tree is kept under the rescue folder as `name`, and an empty one takes its place; returns the
        path. Idempotent."""
        ...

    def move_back(self, name: str) -> None: ...
    def keep_replaced(self, name: str) -> None:
        """Until a full pass of the peer has been received whole, every file here that it overwrites or deletes is kept
        in the rescue folder `name`. Durable; a later call takes the place of an earlier one."""
        ...


class Rescues(Protocol):
    """What is kept aside on this server because there may be no other copy (see app.core.rescues).

    All but `entries` raise NotFound (code `no-such-rescue`); all raise LocalFailure (codes `rescues-unavailable`,
    `rescue-unreadable`).
    """

    def entries(self) -> list[RescueEntry]:
        """Every rescue that is whole and holds something, newest first, without a look inside."""
        ...

    def show(self, rescue_id: str) -> Rescue: ...
    def open(self, rescue_id: str) -> AbstractContextManager[Iterator[bytes]]:
        """The whole folder as a gzipped tar, in chunks, with owners, modes, links and attributes as they are. The
        iterator raises LocalFailure (code `rescue-unreadable`) where the archive can't be made to its end."""
        ...

    def remove(self, rescue_id: str) -> None:
        """The rescue is gone from the list, durably; its space is freed soon after."""
        ...


# --- the rest of the machine --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MachineFacts:
    hostname: str
    addresses: tuple[str, ...]
    gateway: str | None
    cpus: int
    memory_bytes: int
    disk_bytes: int
    disk_free_bytes: int
    version: str
    """hapair's own."""


class Machine(Protocol):
    """This server: its identity, its services, and the files that its processes tell each other things with."""

    def facts(self) -> MachineFacts: ...
    def hostname(self) -> str:
        """The same as in the facts, without the time that they take."""
        ...

    def service(self, action: str, name: str, timeout_s: float = 60.0) -> None:
        """`start`, `stop`, `restart` or `kill` (at once, like a crash) one of: mariadb, redis, nginx, peer-sshd, api,
        worker, monitor."""
        ...

    def can_connect(self, host: str, port: int, timeout_s: float) -> bool:
        """Whether someone accepts TCP connections there. Never raises."""
        ...

    def publish(self, name: str, document: Json) -> None:
        """The document replaces the one of that name in the run folder, atomically; gone after a reboot."""
        ...

    def published(self, name: str) -> tuple[Json, float] | None:
        """The document and its age in seconds (monotonic where it matters), None where there is none."""
        ...


class Queue(Protocol):
    """Transport of jobs to the worker; the journal in the node store is the truth."""

    def enqueue(self, job_id: str) -> None:
        """Raises LocalFailure (code `queue-down`)."""
        ...


@dataclass(frozen=True)
class Mail:
    to: str
    subject: str
    text: str
    html: str = ""


class Mailer(Protocol):
    def send(self, mail: Mail) -> None:
        """The SMTP server has taken it. Raises LocalFailure (code `mail-failed`)."""
        ...


@dataclass(frozen=True)
class ScriptResult:
    exit_code: int | None
    """None where it was ended for taking too long."""
    output: str
    duration_s: float


class ScriptRunner(Protocol):
    def run(
        self, script: str, parameters: Sequence[str], environment: Mapping[str, str], timeout_s: float
    ) -> ScriptResult:
        """The custom script, by bash as root, in its own process group and working folder, with a clean environment."""
        ...


class Witness(Protocol):
    """A third party's lease; there is none yet."""

    def acquire(self, pair_id: str, node_id: str, term: int) -> bool: ...


@dataclass(frozen=True)
class Node:
    """All parts of one node, as `app.wiring` put them together. Jobs, monitor and API get this and nothing else."""

    settings: Any
    """app.settings.Settings"""
    clock: Clock
    store: NodeStore
    common_log: CommonLog
    database: Database
    peer: Peer
    pairing: Pairing
    keys: Keys
    mirror: Mirror
    rescues: Rescues
    machine: Machine
    queue: Queue
    pinger: Pinger
    mailer: Mailer
    scripts: ScriptRunner
