#!/bin/sh
# Starts the only server. Usage: single-server.sh <options of redis-server>.
set -eu
. "$(dirname "$0")/server.sh"
own=127.0.0.1:6379

hand_over() { false; }
is_replaced() { false; }

run_server "$@"
