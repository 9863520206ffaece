#!/bin/sh
# Makes new servers a Redis Cluster, with a replica for each primary.
# Usage: create-cluster.sh <addresses of servers>.
# Servers that are one already stay as they are.
set -eu
. "$(dirname "$0")/server.sh"

is_new() { ask "$1" cluster info | tr -d '\r' | grep -Ec '^cluster_(slots_assigned:0|known_nodes:1)$' | grep -q 2; }

numbers=
new=0
for address; do
  until ask "$address" ping | grep -q PONG; do sleep 1; done
  numbers="$numbers $(number_of "$address")"
  if is_new "$address"; then new=$((new + 1)); fi
done
if [ "$new" = $# ]; then
  # shellcheck disable=SC2086
  redis-cli --cluster create $numbers --cluster-replicas 1 --cluster-yes
fi
for _ in $(seq 30); do
  whole=0
  for address; do
    if ask "$address" cluster info | grep -q cluster_state:ok; then whole=$((whole + 1)); fi
  done
  [ "$whole" = $# ] && echo "The Cluster of $# servers is whole." && exit
  sleep 1
done
echo "The Cluster is not whole: $new of $# servers were new, $whole report cluster_state:ok. After an interrupted creation, \
send CLUSTER RESET to each server and run this again." >&2
exit 1
