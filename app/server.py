"""Gunicorn's entry point: `app.server:application`."""

from __future__ import annotations

from app.api import create_app
from app.api.database import db
from app.logs import configure
from app.settings import read_settings
from app.wiring import build_access, build_accounts, build_node, build_throttle

settings = read_settings()
configure(settings)
access = build_access(settings)
application = create_app(build_node(settings), access, build_accounts(db.session), build_throttle(settings, access))
