"""The forced command of the peer's key: `python -m jobs.peer`, started by sshd with SSH_ORIGINAL_COMMAND.

One process serves one channel. It starts with as few imports as it can, because each batch of files starts one.
"""

from __future__ import annotations

import json
import logging
import os
import sys

from app.core.errors import HapairError, LocalFailure
from app.core.wire import error_document
from app.settings import Settings, read_settings
from jobs.peer.commands import ReceiveFiles, SendSeed, Talk, parse_command

REFUSED = 3
"""Exit code beside the line that says why."""
ERROR_PREFIX = "hapair-error: "
LOGGED_CHARACTERS_MAX = 200
_log = logging.getLogger("hapair.peer")


def main() -> int:
    """Does what was asked for, or refuses it on the error output."""
    settings = read_settings()
    log = _open_log(settings)
    asked = os.environ.get("SSH_ORIGINAL_COMMAND", "")
    try:
        return _run(settings, parse_command(asked), log)
    except HapairError as error:
        _log.warning("refused %r: %s", asked[:LOGGED_CHARACTERS_MAX], error.code)
        return _refuse(error)
    except BrokenPipeError:
        _log.info("the other server went away during %r", asked[:LOGGED_CHARACTERS_MAX])
        return REFUSED
    except Exception:  # noqa: BLE001 - the outermost level: the reason is for this server's log only
        _log.exception("failed at %r", asked[:LOGGED_CHARACTERS_MAX])
        return _refuse(LocalFailure("internal-error", "The Other Server Failed", hint="Its log peer.log says why."))


def _run(settings: Settings, command: Talk | SendSeed | ReceiveFiles, log: int) -> int:
    if isinstance(command, ReceiveFiles):
        from app.wiring_receiver import build_receiver
        from jobs.peer.streams import receive_files

        return receive_files(*build_receiver(settings), command)
    from app.wiring import build_node

    node = build_node(settings)
    if isinstance(command, SendSeed):
        from jobs.peer.streams import send_seed

        send_seed(node, _take_over(1, log))
        return 0
    from jobs.peer.talk import Conversation
    from jobs.peer.verbs import VERBS

    pin = settings.peer_dir / "authorized_keys"
    Conversation(node, VERBS, pin, _take_over(0, os.devnull), _take_over(1, log)).run()
    return 0


def _take_over(descriptor: int, replacement: int | str) -> int:
    """The channel's own descriptor under a new number, so that nothing else that prints or reads can disturb it."""
    own = os.dup(descriptor)
    other = os.open(replacement, os.O_RDWR) if isinstance(replacement, str) else replacement
    os.dup2(other, descriptor)
    return own


def _refuse(error: HapairError) -> int:
    sys.stderr.write(ERROR_PREFIX + json.dumps(error_document(error)) + "\n")
    return REFUSED


def _open_log(settings: Settings) -> int:
    """Logging goes to peer.log; the file's descriptor. Without a log folder nothing is logged: the peer comes first.

    The folder belongs to an account without privileges, so a link that stands in the file's place is not followed.
    """
    try:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(settings.log_dir / "peer.log", flags, 0o640)
    except OSError:
        descriptor = os.open(os.devnull, os.O_RDWR)
    handler = logging.StreamHandler(os.fdopen(os.dup(descriptor), "a", encoding="utf-8"))
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s peer[%(process)d] %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    return descriptor


if __name__ == "__main__":
    sys.exit(main())
