"""The end of the console's certificate is an alarm in good time."""

from __future__ import annotations

import structlog

from app.core.certificates import ALARM, expiry_alarm
from app.core.errors import HapairError
from app.ports import Node

log = structlog.get_logger(__name__)

LOOK_S = 60.0


class CertificateDuty:
    """Looks at the certificate's end; a new certificate clears the alarm."""

    name = "certificate"

    def __init__(self, node: Node) -> None:
        self._node = node

    def step(self) -> float:
        try:
            text = expiry_alarm(self._node.certificate.show().not_after, self._node.clock.now())
        except HapairError as error:
            log.warning("the console's certificate was not looked at", code=error.code, error=str(error))
            return LOOK_S
        up = any(alarm.code == ALARM for alarm in self._node.store.alarms())
        if text is not None:
            self._node.store.raise_alarm(ALARM, text)
        elif up:
            self._node.store.clear_alarm(ALARM)
        return LOOK_S

    def close(self) -> None:
        """Nothing is held."""
