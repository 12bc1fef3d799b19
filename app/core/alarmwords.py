"""What each alarm is called and what to do about it: mails, docs and the example rules are made from this table."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.diagnosis import SECONDARY_ROWS
from app.core.notices import MAIL_FAILED, SCRIPT_FAILED, WEBHOOK_FAILED
from app.core.ownbase import ALARM as DATABASE_FAILING
from app.core.primary import OFFLINE, OUT, WAITS
from app.core.replication import KINDS, alarm_code
from app.core.secondary import BLOCKED, NO_PRIMARY, PEER_LEFT


@dataclass(frozen=True)
class AlarmWords:
    title: str
    advice: str


_LOOK_AT_PRIMARY = "Look at the primary: its console, its log, its network."

WORDS = {
    OFFLINE: AlarmWords(
        "The secondary is offline", "Check the secondary, its network and its database. It rejoins by itself."
    ),
    OUT: AlarmWords(
        "The secondary is out of the pair",
        "The primary goes on alone, and a failover is not possible. See why the secondary is not in step.",
    ),
    WAITS: AlarmWords(
        "A takeover is not finished yet", "Look at the status page; it says what the takeover waits for."
    ),
    "peer-unknown": AlarmWords(
        "This server is fenced, because it can't know what the other one does",
        "Bring the other server back, or press RESUME here if you are sure that it does not run as primary.",
    ),
    "conflict": AlarmWords(
        "Two primaries of the same term",
        "Choose on the status page whose history goes on. What only the other server has is rescued first.",
    ),
    BLOCKED: AlarmWords(
        "The failover is held back", "Read the reason. TAKE OVER on this server does it by hand, if that is right."
    ),
    NO_PRIMARY: AlarmWords("There is no primary", "Take over on the server whose data you want to keep."),
    PEER_LEFT: AlarmWords("The other server has left the pair", "Tear the pair down here too, or set it up again."),
    DATABASE_FAILING: AlarmWords(
        "The database of this server does not work", "Look at the database's log and at the free disk space."
    ),
    "file-mirror": AlarmWords(
        "Files do not reach the other server", "Read the reason; after a mass deletion confirm it on the status page."
    ),
    "pairing-listener": AlarmWords(
        "The primary can't reach this server for pairing", "See which program uses the pairing port."
    ),
    "activity-journal": AlarmWords(
        "The activity journal is not what was written",
        "Run `hapair activity verify` on both servers, and find out who changed it or put it back from a copy."
        " `hapair activity accept` ends the alarm then; what is wrong stays visible.",
    ),
    "virtual-address": AlarmWords(
        "The virtual address is not where it belongs",
        "Read the reason; look for another server that holds the address.",
    ),
    "console-certificate": AlarmWords(
        "The console's certificate ends soon", "Renew or replace it under System, or by `hapair certificate`."
    ),
    SCRIPT_FAILED: AlarmWords(
        "The custom script failed", "Look at its output under Events, mend it and try it by a test run."
    ),
    MAIL_FAILED: AlarmWords(
        "Alert mails can't be sent", "Check the mail server's settings and send a test mail. The mails wait meanwhile."
    ),
    WEBHOOK_FAILED: AlarmWords(
        "The webhook can't be reached", "Check its address and what answers there. The calls wait meanwhile."
    ),
    **{
        row.name: AlarmWords(row.sentence.partition(":")[0].rstrip("."), _LOOK_AT_PRIMARY)
        for row in SECONDARY_ROWS
        if row.alarm
    },
    **{alarm_code(kind): AlarmWords(kind.title, kind.advice) for kind in KINDS},
}  # fmt: skip


def words(code: str) -> AlarmWords:
    """The words for that alarm; general ones for an alarm of another version."""
    return WORDS.get(code, AlarmWords(f"Alarm {code}", "Look at the status page of both servers."))
