#!/bin/sh
# Checks a server, which may be one of a Redis Cluster.
# Usage: check.sh <own address> <addresses of a Redis Cluster>.
# Fails while it loads its data, or follows no primary, or does not see the whole Cluster.
set -eu
. "$(dirname "$0")/server.sh"
own=$1
shift
if [ $# -gt 0 ]; then
  info=$(ask "$own" cluster info | tr -d '\r')
  # A server of no Cluster yet waits for create-cluster.sh.
  if ! echo "$info" | grep -q '^cluster_state:ok' && ! echo "$info" | grep -q '^cluster_known_nodes:1$'; then
    # Servers know each other by number. All numbers change where all servers restart.
    for address; do
      number=$(number_of "$address")
      [ -z "$number" ] || ask "$own" cluster meet "${number%:*}" "${number##*:}" >/dev/null
    done
  fi
  echo "$info" | grep -q '^cluster_state:ok'
fi
ask "$own" info replication | grep -Eq '^(role:master|master_link_status:up)'
