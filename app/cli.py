"""`hapair …`: the same acts as the API, for people and scripts.

Exit codes: 0 done; 1 the server refused or could not; 2 wrong use of the command; 3 the API can't be reached;
4 not allowed; 5 the job failed or was reverted; 6 with `status --check`: neither stable nor standalone.
"""

from __future__ import annotations

from pathlib import Path

import click

from app import cli_activity, cli_admin, cli_alerts, cli_certificate, cli_ha, cli_rescues


@click.group(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", envvar="HAPAIR_URL", help="Another server's API, https://…; needs a token.")
@click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False), help="File with the bearer token.")
@click.option("--ca", envvar="HAPAIR_CA", help="PEM file that the other server's certificate is checked with.")
@click.version_option(package_name="hapair")
def main(url: str | None, token_file: Path | None, ca: str | None) -> None:
    """The options are read by app.cli_base.client_of."""


cli_ha.add_to(main)
cli_activity.add_to(main)
cli_admin.add_to(main)
cli_alerts.add_to(main)
cli_rescues.add_to(main)
cli_certificate.add_to(main)

if __name__ == "__main__":
    main()
