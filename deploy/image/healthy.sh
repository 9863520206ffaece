#!/bin/bash
# Ends with 0 when the port of this container answers /healthz with success, else with 1. Starts no Node, and needs no curl.
# Usage: healthy.sh [port]; default: HUBBUB_ADMIN_PORT, 8081.
set -eu
port=${1:-${HUBBUB_ADMIN_PORT:-8081}}
# A process that hangs takes the connection and never answers.
answer=$(timeout 2 bash -c '
  exec 3<>"/dev/tcp/127.0.0.1/$1"
  printf "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" >&3
  head -n 1 <&3
' healthy "$port") || { echo "Port $port does not answer."; exit 1; }
case $answer in
  "HTTP/1.1 200 "*) ;;
  *) echo "/healthz of port $port: $answer"; exit 1 ;;
esac
