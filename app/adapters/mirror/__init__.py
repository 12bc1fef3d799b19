"""The mirrored tree of files: watched by fanotify, pushed by rsync over OpenSSH."""

from app.adapters.mirror.mirror import RsyncMirror

__all__ = ["RsyncMirror"]
