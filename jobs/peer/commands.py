"""What the other server may start here, read from the text that its SSH client asked for.

Nothing is taken over from the text but a number and words of a fixed list; everything else is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.core.errors import InvalidInput

COMMAND_CHARACTERS_MAX = 500
TERM_DIGITS_MAX = 15
_PLAIN = re.compile(r"[A-Za-z0-9 .,=@-]+")
_TERM = re.compile(rf"[0-9]{{1,{TERM_DIGITS_MAX}}}")
_FLAGS = re.compile(r"-[nldHogDtpAXrRcSI]{1,20}e\.[A-Za-z]{0,20}")
"""rsync's cluster of short options; what follows `e.` are its own notes on compatibility. `s` before it, which would
let further options arrive unseen, is not among them."""
_TIMEOUT = re.compile(r"--timeout=[0-9]{1,3}")
_OPTIONS = frozenset(
    {
        "--delete",
        "--delete-missing-args",
        "--existing",
        "--force",
        "--ignore-existing",
        "--numeric-ids",
        "--stats",
        "-@-1",
    }
)
DESTINATION = "files"
"""What the sender calls the tree; where it is here is this server's affair."""


@dataclass(frozen=True)
class Talk:
    """Requests and replies, one line each."""


@dataclass(frozen=True)
class SendSeed:
    """A copy of the database is written to the output."""


@dataclass(frozen=True)
class ReceiveFiles:
    """A batch of the file mirror is received."""

    term: int
    options: tuple[str, ...]


def parse_command(text: str) -> Talk | SendSeed | ReceiveFiles:
    """The command that the text names. Raises InvalidInput (code `unknown-command`)."""
    if text == "talk":
        return Talk()
    if text == "seed":
        return SendSeed()
    if len(text) > COMMAND_CHARACTERS_MAX or not _PLAIN.fullmatch(text):
        raise _unknown()
    match text.split(" "):
        case ["receive-files", term, "--server", flags, *options, ".", folder]:
            if not _TERM.fullmatch(term) or not _FLAGS.fullmatch(flags) or folder != DESTINATION:
                raise _unknown()
            if not all(each in _OPTIONS or _TIMEOUT.fullmatch(each) for each in options):
                raise _unknown()
            return ReceiveFiles(int(term), ("--server", flags, *options))
    raise _unknown()


def _unknown() -> InvalidInput:
    return InvalidInput(
        "unknown-command",
        "This Command Is Not Known Here",
        detail="The other server asked for something that this one does not offer.",
        hint="See that both servers run the same version of hapair.",
    )
