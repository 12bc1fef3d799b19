"""The command line against a real HTTP server on a Unix socket, the application behind it made of fakes."""

from __future__ import annotations

import json
import shutil
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from app.cli import main
from app.core.access import Scope
from app.core.roles import Role
from app.core.state import Fence, FenceReason
from app.passwords import digest
from app.ports import Actor, StepRecord
from tests.fakes.clock import START
from tests.unit.api.world import World, make_world, secondary_draft
from tests.waiting import wait_for

SECRET = "the local token of root"


@dataclass
class Shell:
    """Runs `hapair …` as root on this server."""

    world: World
    environment: dict[str, str | None]

    def __call__(self, *arguments: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(main, arguments, env=self.environment, input=typed)

    def json(self, *arguments: str, typed: str | None = None) -> dict[str, object]:
        result = self(*arguments, "--json", typed=typed)
        assert result.exit_code == 0, result.output
        found: dict[str, object] = json.loads(result.stdout)
        return found


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, because the path of a socket has a bound."""
    path = Path(tempfile.mkdtemp(prefix="hapair-cli-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def shell(folder: Path) -> Iterator[Shell]:
    world = make_world(folder)
    world.access.add_token("local", "root", Scope.CONFIGURE, digest(SECRET), "hapair")
    (folder / "keys").mkdir()
    (folder / "keys" / "local-token").write_text(SECRET + "\n")
    socket = folder / "api.sock"
    server = make_server(f"unix://{socket}", 0, world.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    environment = {"HAPAIR_STATE_DIR": str(folder), "HAPAIR_API_SOCKET": str(socket), "SUDO_USER": "dana"}
    yield Shell(world, environment)
    server.shutdown()
    thread.join()
    server.server_close()


def save(shell: Shell, draft: dict[str, object]) -> Result:
    return shell("config", "set", *(f"{name}={value}" for name, value in draft.items()))


def test_status_says_how_the_pair_is_and_json_gives_all_of_it(shell: Shell) -> None:
    result = shell("status")
    assert result.exit_code == 0
    assert "standalone" in result.output
    assert shell.json("status")["status"] == "standalone"


def test_status_check_fails_where_the_pair_is_not_well(shell: Shell) -> None:
    assert shell("status", "--check").exit_code == 0
    shell.world.become(Role.PRIMARY, fence=Fence(FenceReason.ISOLATED, START))
    result = shell("status", "--check")
    assert result.exit_code == 6
    assert "fenced" in result.output


def test_fields_are_set_one_by_one_and_keep_what_the_draft_had(shell: Shell) -> None:
    assert shell("config", "set", "HAPingIterations=3", "HAServiceFailover=no").exit_code == 0
    assert shell("config", "set", "HAPingInterval=1").exit_code == 0
    changes = shell.json("config", "show")["changes"]
    assert changes == [
        {"field": "HAPingIterations", "from": 12, "to": 3},
        {"field": "HAPingInterval", "from": 15, "to": 1},
        {"field": "HAServiceFailover", "from": True, "to": False},
    ]
    assert "→ 3 pings" in shell("config", "show").output
    assert shell("config", "set", "HAPingIterations=").exit_code == 0
    assert shell("config", "discard").exit_code == 0
    assert shell.json("config", "show")["draft"] is None


def test_a_script_is_read_from_a_file(shell: Shell, folder: Path) -> None:
    (folder / "alert").write_text("#!/bin/bash\nlogger $1\n")
    assert shell("config", "set", f"HAAdminAlertScript=@{folder / 'alert'}").exit_code == 0
    draft = shell.world.store.config().draft
    assert draft is not None
    assert draft["HAAdminAlertScript"] == "#!/bin/bash\nlogger $1\n"
    assert shell("config", "set", f"HAAdminAlertScript=@{folder / 'missing'}").exit_code == 2


@pytest.mark.parametrize(
    "wrong", ["HAPingIterations=99", "HAPingIterations=x", "HANothing=1", "HAServiceFailover=maybe"]
)
def test_a_wrong_value_is_named_and_exits_with_1(shell: Shell, wrong: str) -> None:
    result = shell("config", "set", wrong)
    assert result.exit_code == 1
    assert wrong.partition("=")[0] in result.stderr


def test_what_is_no_assignment_is_wrong_use(shell: Shell) -> None:
    assert shell("config", "set", "HAPingIterations").exit_code == 2


def test_apply_without_changes_says_the_manuals_words(shell: Shell) -> None:
    result = shell("apply")
    assert result.exit_code == 1
    assert "No Configuration Changes To Apply" in result.stderr
    assert json.loads(shell("apply", "--json").stdout)["code"] == "no-changes"


def test_apply_starts_the_job_and_names_it(shell: Shell) -> None:
    save(shell, secondary_draft())
    result = shell("apply")
    assert result.exit_code == 0
    job = shell.world.store.active_job()
    assert job is not None
    assert job.id in result.stdout
    assert job.actor == "root (dana)"


@pytest.mark.parametrize(("state", "code"), [("succeeded", 0), ("failed", 5), ("reverted", 5)])
def test_apply_follow_stays_until_the_job_has_ended(shell: Shell, state: str, code: int) -> None:
    save(shell, secondary_draft())
    store = shell.world.store

    def work(_: float) -> None:
        job = store.active_job()
        if job is not None:
            store.update_step(job.id, job.steps[0].name, state="done", done=10, total=10)
            store.update_job(job.id, state=state, message="That was it.")

    shell.world.clock.sleep = work  # type: ignore[method-assign]
    result = shell("apply", "--follow")
    assert result.exit_code == code
    assert "That was it." in result.stdout


def test_a_job_can_be_looked_at_and_followed_later(shell: Shell) -> None:
    job = shell.world.store.create_job("swap", {}, (StepRecord("a", "Do it [bold]"),), Actor("dana"))
    shell.world.store.update_job(job.id, state="succeeded")
    assert "Do it [bold]" in shell("jobs", "--id", job.id).output
    assert shell("jobs", "--id", job.id, "--follow").exit_code == 0
    assert job.id in shell("jobs").output
    assert shell("jobs", "--id", "none").exit_code == 1


def test_takeover_asks_for_the_servers_name(shell: Shell) -> None:
    shell.world.become(Role.SECONDARY)
    assert shell("takeover", typed="beta\n").exit_code == 1
    assert shell.json("takeover", "--confirm", "alpha")["kind"] == "takeover"


def test_maintenance_begins_and_ends(shell: Shell) -> None:
    shell.world.become(Role.PRIMARY)
    assert "until" in shell("maintenance", "--minutes", "5").output
    assert shell.world.state().maintenance_until is not None
    assert "ended" in shell("maintenance", "--end").output


def test_logs_are_listed_without_control_characters(shell: Shell) -> None:
    shell.world.store.add_event("k", "Failover", ("al\x1b[31mpha", "beta"))
    shell("apply")
    assert "\x1b[31m" not in shell("events").output
    assert "Failover" in shell("events").output
    shell.world.common_log.down = True
    own = shell("activity", "--action", "apply").output
    assert "root (dana)" in own
    assert "this server's own entries" in own
    assert "alpha" in shell("system").output


def test_activity_is_searched_as_far_back_as_needed_and_exported(shell: Shell, folder: Path) -> None:
    for number in range(30):
        shell.world.store.add_activity(Actor("dana"), "needle" if number % 10 == 3 else "apply", "done", {})
    shell.world.common_log.add(shell.world.store.activity_after(0, 100))
    found = shell.json("activity", "--search", "needle", "--limit", "2")
    assert [item["action"] for item in found["items"]] == ["needle", "needle"]  # type: ignore[attr-defined]
    assert shell("activity", "list", "--action", "needle").output.count("needle") == 3
    assert len(shell("activity", "export", "--format", "jsonl", "--action", "needle").stdout.splitlines()) == 3
    target = folder / "log.csv"
    assert shell("activity", "export", str(target)).exit_code == 0
    assert len(target.read_text().splitlines()) == 31
    assert target.stat().st_mode & 0o777 == 0o600
    assert shell("activity", "export", str(target)).exit_code == 2


def test_verify_names_the_first_broken_entry_and_exits_with_1(shell: Shell) -> None:
    for _ in range(5):
        shell.world.store.add_activity(Actor("dana"), "apply", "done", {})
    shell.world.common_log.add(shell.world.store.activity_after(0, 100))
    assert shell.json("activity", "verify")["holds"] is True
    shell.world.common_log.stored[2] = replace(shell.world.common_log.stored[2], actor="lee")
    result = shell("activity", "verify")
    assert result.exit_code == 1
    assert "BROKEN at entry 3" in result.stdout


def test_a_journal_is_accepted_after_looking_and_verify_goes_on_saying_so(shell: Shell) -> None:
    store = shell.world.store
    assert "nothing to accept" in shell("activity", "accept").output
    for _ in range(5):
        store.add_activity(Actor("dana"), "apply", "done", {})
    shell.world.common_log.add(store.activity_after(0, 100))
    del store._activity[3:]
    assert shell("activity", "verify").exit_code == 1
    assert shell("activity", "accept", typed="a copy of the disk\n").exit_code == 0
    assert store.activity()[0].detail["reason"] == "a copy of the disk"
    result = shell("activity", "verify")
    assert result.exit_code == 0
    assert "accepted: Entries up to 5 are missing." in " ".join(result.stdout.split())


def test_a_token_is_made_listed_and_withdrawn(shell: Shell) -> None:
    made = shell.json("token", "make", "ansible", "--scope", "operate")
    assert shell.world.access.token(digest(str(made["token"]))) is not None
    assert str(made["token"]) not in shell("token", "list").output
    assert shell("token", "withdraw", str(made["id"])).exit_code == 0
    assert shell("token", "withdraw", "local").exit_code == 1


def test_a_user_is_added_and_gets_a_new_password_from_standard_input(shell: Shell) -> None:
    assert shell("user", "add", "lee", typed="quite a long one\n").exit_code == 0
    assert shell.world.log_in("lee", "quite a long one").status_code == 200
    assert shell("user", "password", "lee", typed="short\n").exit_code == 1
    assert shell("user", "password", "lee", typed="quite another one\n").exit_code == 0
    assert shell.world.log_in("lee", "quite another one").status_code == 200
    assert "lee" in shell("user", "list").output
    assert shell("user", "remove", "lee").exit_code == 0


def test_roles_second_factors_and_sessions_are_managed(shell: Shell) -> None:
    users = shell.world.accounts
    assert "an auditor" in shell("user", "add", "lee", "--role", "auditor", typed="quite a long one\n").output
    assert shell("user", "role", "dana", "auditor").exit_code == 1
    assert shell("user", "role", "lee", "administrator").exit_code == 0
    users.change_second_factor("lee", "sealed", ("digest",))
    assert shell("user", "totp-reset", "lee").exit_code == 0
    lee = users.user("lee")
    assert lee is not None
    assert (lee.totp, lee.recovery) == (None, ())
    shell.world.log_in("lee", "quite a long one")
    assert "1 sessions ended here" in shell("user", "revoke", "lee").output
    assert shell("user", "remove", "dana").exit_code == 0
    assert shell("user", "remove", "lee").exit_code == 1


def test_a_token_ends_after_a_year_a_number_of_days_or_never(shell: Shell) -> None:
    for options, days in (((), 365), (("--days", "30"), 30)):
        made = shell.json("token", "make", "robot", *options)
        assert datetime.fromisoformat(str(made["expires_at"])) == shell.world.clock.now() + timedelta(days=days)
    assert shell.json("token", "make", "robot", "--forever")["expires_at"] is None
    assert shell("token", "make", "robot", "--days", "0").exit_code == 1


def test_the_certificate_is_shown_replaced_from_files_and_made_anew(shell: Shell, folder: Path) -> None:
    assert "CN=alpha" in shell("certificate", "show").output
    certificate, key = folder / "console.pem", folder / "key.pem"
    certificate.write_text("console.example until 2040-01-01")
    key.write_text("key of console.example")
    assert shell.json("certificate", "replace", str(certificate), str(key))["fingerprint"] == "CC:DD"
    assert shell("certificate", "replace", str(key), str(certificate)).exit_code == 1
    key.write_bytes(b"\xff")
    assert shell("certificate", "replace", str(certificate), str(key)).exit_code == 2
    assert shell.json("certificate", "renew")["made_here"] is True


RESCUE = "20260203T040506Z-4"


def test_rescues_are_listed_shown_downloaded_and_removed(shell: Shell, folder: Path) -> None:
    shell.world.rescues.keep(RESCUE, {"transactions.sql": b"INSERT", "files/a": b"1"}, {"shop.orders": 7})
    assert RESCUE in shell("rescues").output
    assert shell.json("rescues", "list")["count"] == 1
    assert "rows of shop.orders" in shell("rescues", "show", RESCUE).output
    target = folder / "rescue.tar.gz"
    assert shell.json("rescues", "download", RESCUE, str(target))["bytes"] == target.stat().st_size
    with tarfile.open(target) as tar:
        assert f"{RESCUE}/files/a" in tar.getnames()
    assert target.stat().st_mode & 0o777 == 0o600
    assert shell("rescues", "remove", RESCUE, typed="yes\n").exit_code == 1
    assert shell("rescues", "remove", RESCUE, typed=f"{RESCUE}\n").exit_code == 0
    assert shell("rescues", "show", RESCUE).exit_code == 1


def test_a_download_never_replaces_a_file_and_leaves_nothing_half_done(shell: Shell, folder: Path) -> None:
    shell.world.rescues.keep(RESCUE, {"files/a": b"1"})
    target = folder / "rescue.tar.gz"
    target.write_text("mine")
    assert shell("rescues", "download", RESCUE, str(target)).exit_code == 2
    assert target.read_text() == "mine"
    target.unlink()
    shell.world.rescues.broken = True
    assert shell("rescues", "download", RESCUE, str(target)).exit_code != 0
    assert shell("rescues", "download", "nothing", str(target)).exit_code == 1
    assert not list(folder.glob("rescue.tar*"))


def test_an_api_that_is_down_exits_with_3(shell: Shell) -> None:
    shell.environment["HAPAIR_API_SOCKET"] = str(shell.world.node.settings.state_dir / "no.sock")
    result = shell("status")
    assert result.exit_code == 3
    assert "no.sock" in result.stderr


def test_without_the_token_file_it_asks_to_be_root(shell: Shell, folder: Path) -> None:
    (folder / "keys" / "local-token").unlink()
    result = shell("status")
    assert result.exit_code == 3
    assert "root" in result.stderr


def test_a_wrong_token_exits_with_4(shell: Shell, folder: Path) -> None:
    (folder / "keys" / "local-token").write_text("wrong")
    assert shell("status").exit_code == 4


@pytest.mark.parametrize("url", ["http://192.0.2.1", "https://", "nonsense"])
def test_another_server_is_called_over_tls_only(shell: Shell, url: str) -> None:
    result = shell("--url", url, "status")
    assert result.exit_code == 3
    assert "https" in result.stderr


def test_every_command_explains_itself_and_knows_json() -> None:
    def commands(group: click.Group) -> Iterator[click.Command]:
        for command in group.commands.values():
            if isinstance(command, click.Group):
                yield from commands(command)
            else:
                yield command

    for command in commands(main):
        assert command.help, command.name
        assert "--json" in [option for parameter in command.params for option in parameter.opts], command.name


def test_the_mail_server_is_set_with_a_password_that_is_typed(shell: Shell) -> None:
    words = ("alerts", "mail", "smtp.example.org", "--sender", "ha@example.org", "--username", "ha", "--password")
    saved = shell(*words, typed="Geheimnis-7\n")
    assert saved.exit_code == 0, saved.output
    assert "smtp.example.org:587" in saved.output
    assert "Geheimnis-7" not in saved.output
    assert shell("alerts", "forget-mail").exit_code == 0
    shown = shell.json("alerts", "show")["mail"]
    assert isinstance(shown, dict)
    assert (shown["host"], shown["password_set"]) == ("127.0.0.1", False)


def test_a_webhook_is_set_and_forgotten(shell: Shell) -> None:
    set_up = shell("alerts", "webhook", "https://hooks.example.org/x", "--secret", typed="hush\n")
    assert set_up.exit_code == 0, set_up.output
    assert "https://hooks.example.org/x" in set_up.output
    assert shell("alerts", "forget-webhook").exit_code == 0
    assert shell.json("alerts", "show")["webhook"] is None


@pytest.mark.parametrize(("state", "exit_code"), [("done", 0), ("failed", 5)])
def test_a_trial_is_followed_to_its_end(shell: Shell, state: str, exit_code: int) -> None:
    store = shell.world.store

    def monitor() -> None:
        test = wait_for(store.claim_alert_test, 10, "the trial")
        assert test.arguments == {"to": "me@example.org"}
        store.finish_alert_test(test.id, state, {"detail": "what came of it"})

    thread = threading.Thread(target=monitor)
    thread.start()
    result = shell("alerts", "test-mail", "--to", "me@example.org")
    thread.join()
    assert result.exit_code == exit_code, result.output
    assert "what came of it" in result.output


def test_a_script_is_checked_before_it_is_tried(shell: Shell, folder: Path) -> None:
    script = folder / "script.sh"
    script.write_text("echo 1\ndoubtful\n")
    warned = shell("alerts", "check-script", str(script))
    assert (warned.exit_code, warned.output.strip()) == (0, "2:1: warning: doubtful word (SC1000)")
    script.write_text("wrong\n")
    assert shell("alerts", "check-script", str(script)).exit_code == 1
    assert shell("alerts", "test-script", "Failover", "--file", str(script)).exit_code == 1
    assert shell("alerts", "test-script", "Failover", "--file", str(folder / "none")).exit_code == 2
