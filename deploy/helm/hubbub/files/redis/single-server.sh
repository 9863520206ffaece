#!/bin/sh
# Starts the only server. Usage: single-server.sh <own address> <options of redis-server>.
set -eu
. "$(dirname "$0")/server.sh"
own=$1
shift

hand_over() { false; }
is_replaced() { false; }

run_server "$@"
