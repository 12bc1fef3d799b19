"""The database port on MariaDB, spoken to by pymysql, mariadb-backup and mariadb-binlog."""

from app.adapters.mariadb.server import MariaDB as MariaDB
