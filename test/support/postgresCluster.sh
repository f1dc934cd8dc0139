#!/usr/bin/env bash
# A throw-away PostgreSQL server on 127.0.0.1, for tests: `start DIR PORT`, `crash DIR`, `stop DIR`; `found` asks for the
# binaries. Prints nothing but faults.
# The server refuses to run as root: then the user postgres runs it. Exit status 3: no server binaries here.
set -euo pipefail

bin() {
  local found
  if command -v initdb >/dev/null; then found=$(dirname "$(readlink -f "$(command -v initdb)")"); else
    found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
  fi
  [ -n "$found" ] || return 1
  # As root only with a user who may run the server.
  [ "$(id -u)" != 0 ] || getent passwd postgres >/dev/null || return 1
  echo "$found"
}

BIN=$(bin) || { [ "$1" = found ] || echo 'no PostgreSQL server binaries' >&2; exit 3; }
DIR=${2:-}

as_server() {
  if [ "$(id -u)" = 0 ]; then (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups "$@"); else "$@"; fi
}

# Durability of the throw-away files is nobody's: a crash of the server loses nothing while the machine lives.
start() {
  local port=$1 options
  if [ ! -d "$DIR/data" ]; then
    mkdir -p "$DIR"
    if [ "$(id -u)" = 0 ]; then chown postgres: "$DIR"; fi
    as_server "$BIN/initdb" --pgdata="$DIR/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C --no-sync >/dev/null
    echo "$port" | as_server tee "$DIR/port" >/dev/null
  fi
  options="-p $(cat "$DIR/port") -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=200"
  as_server "$BIN/pg_ctl" --pgdata="$DIR/data" --log="$DIR/log" --wait --timeout=60 --options="$options" start >/dev/null
}

case $1 in
  found) ;;
  start) start "${3:-}" ;;
  # As if the machine had lost power: no checkpoint, no goodbye to clients.
  crash) as_server "$BIN/pg_ctl" --pgdata="$DIR/data" --wait --mode=immediate stop >/dev/null ;;
  stop) as_server "$BIN/pg_ctl" --pgdata="$DIR/data" --wait --mode=fast stop >/dev/null ;;
  *) echo "usage: $0 found | start DIR PORT | crash DIR | stop DIR" >&2; exit 2 ;;
esac
