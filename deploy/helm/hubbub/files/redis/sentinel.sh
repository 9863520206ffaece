#!/bin/sh
# Starts a Sentinel.
# Usage: sentinel.sh <own address> <address of the first primary>.
# It writes what it learns into its configuration, so only its first start uses that primary.
set -eu
if [ ! -s sentinel.conf ]; then
  cat >sentinel.conf.new <<END
port ${1##*:}
bind ${BIND:-* -::*}
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip ${1%:*}
sentinel announce-port ${1##*:}
sentinel monitor hubbub ${2%:*} ${2##*:} 2
sentinel down-after-milliseconds hubbub ${DOWN_AFTER_MS:-5000}
sentinel failover-timeout hubbub 30000
END
  [ -z "${REDIS_SECRETS:-}" ] || echo "sentinel auth-pass hubbub $(cat "$REDIS_SECRETS/redis-password")" >>sentinel.conf.new
  mv sentinel.conf.new sentinel.conf
fi
exec redis-server sentinel.conf --sentinel
