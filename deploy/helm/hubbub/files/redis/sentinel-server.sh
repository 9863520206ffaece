#!/bin/sh
# Starts a server that Sentinels monitor.
# Usage: sentinel-server.sh <own address> <addresses of Sentinels>.
# The Sentinels decide its role at each start, so a former primary does not return as a second one.
set -eu
. "$(dirname "$0")/server.sh"
own=$1
shift
sentinels=$*

# A Sentinel may be new, or separated from the others: the majority decides.
find_primary() {
  for sentinel in $sentinels; do
    ask_sentinel "$sentinel" sentinel get-master-addr-by-name hubbub | awk 'NR == 1 { host = $0 } NR == 2 { print host ":" $0 }'
  done | sort | uniq -c | awk -v sentinels="$(echo "$sentinels" | wc -w)" '2 * $1 > sentinels { print $2 }'
}

hand_over() {
  for sentinel in $sentinels; do
    ask_sentinel "$sentinel" sentinel failover hubbub | grep -q OK && return
  done
}

is_replaced() {
  primary=$(find_primary)
  [ -n "$primary" ] && [ "$primary" != "$own" ]
}

primary=$(find_primary)
while [ -z "$primary" ]; do
  echo "Waiting until a majority of the Sentinels names the primary."
  sleep 1
  primary=$(find_primary)
done
echo "The Sentinels name the primary $primary."
set -- --replica-announce-ip "${own%:*}" --replica-announce-port "${own##*:}"
[ "$primary" = "$own" ] || set -- "$@" --replicaof "${primary%:*}" "${primary##*:}"
run_server "$@"
