# Creates the database's files at the first start, and runs PostgreSQL.
set -e
if [ ! -f .data/PG_VERSION ]; then
	initdb -D .data -U "$PGUSER" -A trust -E UTF8 --no-locale --no-sync >/dev/null
fi
exec postgres -D .data -c listen_addresses="$PGHOST" -p "$PGPORT" -c unix_socket_directories=
