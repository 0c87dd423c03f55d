#!/bin/bash
# Run a command with TEST_DATABASE_URL naming a throw-away PostgreSQL 15.
#
#   scripts/with_postgres_15.sh .venv/bin/python -m pytest tg_pipeline_tests/store
#
# Its role owns the database and may create roles, but is no superuser. Fails when the command
# never used the server, so that a skipped test run cannot pass for one that was done.
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: $0 COMMAND [ARGUMENT…]" >&2; exit 2; }

bin=
for folder in "${POSTGRES_15_BIN:-}" /usr/lib/postgresql/15/bin /usr/pgsql-15/bin \
    /opt/homebrew/opt/postgresql@15/bin /usr/local/opt/postgresql@15/bin; do
    if [ -n "$folder" ] && [ -x "$folder/postgres" ]; then bin=$folder; break; fi
done
if [ -z "$bin" ]; then
    echo "PostgreSQL 15 is not installed: on Debian apt-get install postgresql-15;" \
        "elsewhere name its programs with POSTGRES_15_BIN" >&2
    exit 1
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/pg15.XXXXXX")
secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
log=$folder/log
server=
child=

owner=(env)
if [ "$(id -u)" = 0 ]; then # PostgreSQL refuses to run as root
    owner=(setpriv --reuid postgres --regid postgres --init-groups --)
    chown postgres "$folder"
fi

stop() {
    [ -z "$child" ] || kill "$child" 2>/dev/null || true
    [ -z "$server" ] || { kill -INT "$server" && wait "$server"; } 2>/dev/null || true
    rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() {
    local port
    for _ in $(seq 100); do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
    done
    return 1
}

start() {
    "${owner[@]}" "$bin/postgres" -D "$folder/data" -p "$1" \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories="$folder" \
        -c fsync=off -c max_connections=50 </dev/null >>"$log" 2>&1 &
    server=$!
    for _ in $(seq 300); do
        if "$bin/pg_isready" -q -h 127.0.0.1 -p "$1" && kill -0 "$server" 2>/dev/null; then
            return 0
        fi
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    kill -INT "$server" 2>/dev/null || true
    server=
    return 1
}

ask() { # as the superuser
    PGPASSWORD=$secret "$bin/psql" -X -q -A -t -v ON_ERROR_STOP=1 \
        -h 127.0.0.1 -p "$port" -U postgres -d "$1" -c "$2"
}

cd /
printf '%s' "$secret" >"$folder/password"
[ "$(id -u)" != 0 ] || chown postgres "$folder/password"
"${owner[@]}" "$bin/initdb" -D "$folder/data" -U postgres --pwfile "$folder/password" \
    -A scram-sha-256 -E UTF8 --locale C --no-sync </dev/null >>"$folder/log" 2>&1 \
    || { cat "$log" >&2; exit 1; }
cd - >/dev/null

port=
for _ in 1 2 3; do # another process may take the port in between
    port=$(free_port)
    if start "$port"; then break; fi
    port=
done
[ -n "$port" ] || { echo "PostgreSQL 15 did not start:" >&2; cat "$log" >&2; exit 1; }

ask postgres "CREATE ROLE archivist LOGIN CREATEROLE NOSUPERUSER PASSWORD '$secret'"
ask postgres "CREATE DATABASE archive OWNER archivist"
echo "PostgreSQL $(ask postgres 'SHOW server_version') on 127.0.0.1:$port"

export TEST_DATABASE_URL="postgresql://archivist:$secret@127.0.0.1:$port/archive"
"$@" <&0 & # in the background, so that a signal ends it and the server at once
child=$!
code=0
wait "$child" || code=$?
child=

used=$(ask postgres "SELECT count(*) FROM pg_stat_database WHERE datname = 'archive' AND sessions > 0")
if [ "$used" = 0 ]; then
    echo "no session reached PostgreSQL 15: nothing was tested there" >&2
    [ "$code" != 0 ] || code=1
fi
exit "$code"
