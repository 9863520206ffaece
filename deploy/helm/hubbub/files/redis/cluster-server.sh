#!/bin/sh
# Starts a server of a Redis Cluster.
# Usage: cluster-server.sh <own address>.
set -eu
. "$(dirname "$0")/server.sh"
own=$1

# The replica first reads all that this primary has.
hand_over() {
  id=$(ask "$own" cluster myid)
  replica=$(ask "$own" cluster replicas "$id" | awk '$8 == "connected" && !/fail/ { sub(/@.*/, "", $2); print $2; exit }')
  [ -n "$replica" ] && ask "$replica" cluster failover | grep -q OK
}

is_replaced() { ! is_primary; }

run_server --cluster-enabled yes --cluster-node-timeout "${NODE_TIMEOUT_MS:-5000}" \
  --cluster-announce-hostname "${own%:*}" --cluster-preferred-endpoint-type hostname
