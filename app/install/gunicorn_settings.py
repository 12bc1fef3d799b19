"""How gunicorn serves the API: one process with threads, on a Unix socket that only nginx and root reach."""

from app.collector import leave_startup_alone
from app.install.services import API_THREADS
from app.settings import read_settings

bind = f"unix:{read_settings().api_socket}"
umask = 0o007
workers = 1
threads = API_THREADS
worker_class = "gthread"
timeout = 60
graceful_timeout = 3
keepalive = 30
limit_request_line = 8190
control_socket_disable = True
# gunicorn's heartbeat file; a memory file system keeps it off the disk
worker_tmp_dir = "/dev/shm"  # noqa: S108  # nosec B108
accesslog = None
errorlog = "-"


def post_worker_init(_worker: object) -> None:
    leave_startup_alone()
