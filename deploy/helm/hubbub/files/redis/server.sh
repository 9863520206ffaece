# For the scripts beside it, which source it. An address is host:port; data goes to the current folder.

# The first process of a container has no default action.
trap 'exit 143' TERM INT

command -v timeout >/dev/null || timeout() { shift; "$@"; } # macOS has none.

# REDIS_SECRETS is a folder with users.acl and redis-password, that of the user `default`.
# These scripts and the replicas use it. Without the folder, the servers have no password.
if [ -n "${REDIS_SECRETS:-}" ]; then
  REDISCLI_AUTH=$(cat "$REDIS_SECRETS/redis-password")
  export REDISCLI_AUTH
fi

# ask <address> <command>: prints the reply. A machine that is lost does not even refuse connections.
ask() {
  to=$1
  shift
  timeout 2 redis-cli -h "${to%:*}" -p "${to##*:}" "$@" 2>/dev/null
}

# Sentinels have no password.
ask_sentinel() { (
  unset REDISCLI_AUTH
  ask "$@"
); }

# number_of <address>: the same with the number of the host. CLUSTER MEET takes no names.
number_of() { ask "$1" client info | sed -n 's/.* laddr=\([^ ]*\) .*/\1/p' | tr -d '[]'; }

is_primary() { ask "$own" role | grep -q '^master'; }

# The settings of a server. Not in its arguments, which every process on the machine sees.
settings() {
  cat "$(dirname "$0")/redis.conf"
  [ -z "${REDIS_SECRETS:-}" ] || printf 'aclfile %s/users.acl\nmasterauth %s\n' "$REDIS_SECRETS" "$REDISCLI_AUTH"
}

# run_server <options>: runs the server at $own until it ends. On SIGTERM, a primary hands over before that.
# The script that calls it defines hand_over and is_replaced.
run_server() {
  trap stop_server TERM INT
  # From standard input: Sentinels cannot rewrite it, so the role of today is not that of the next start.
  settings | redis-server --port "${own##*:}" "$@" - &
  server=$!
  status=0
  while kill -0 "$server" 2>/dev/null; do
    status=0
    wait "$server" || status=$?
  done
  exit "$status"
}

stop_server() {
  trap '' TERM INT
  if is_primary && hand_over; then
    for _ in $(seq 10); do
      if is_replaced; then
        echo "Another server is the primary now."
        break
      fi
      sleep 0.5
    done
  fi
  kill "$server"
}
