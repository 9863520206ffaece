#!/bin/sh
# Prints the Redis users of a cluster, for an ACL file: one for each role, with the commands and keys that it uses.
# Usage: users.sh [prefix] >users.acl
# Passwords are in EDGE_PASSWORD, PRESENCE_PASSWORD, API_PASSWORD, WEBHOOKS_PASSWORD and SERVICE_PASSWORD.
# SERVICE_KEYS may be a pattern such as shop:*, for keys of your own that services have in the same Redis.
# The prefix is HUBBUB_REDIS_PREFIX, and begins the names of the users: hubbub-edge. hubbub-service is for the server SDK.
# Needs Redis 7.0 or newer, or Valkey. docs/redis-contract.md describes the users.
set -eu
p=${1:-hubbub}

# Every connection. INFO and ROLE notice a failover; CLUSTER and ASKING are for a Redis Cluster.
connect="+auth +hello +select +ping +info +role +cluster|slots +asking"
scripts="+eval +evalsha +time"
subscribe="+subscribe +unsubscribe +ssubscribe +sunsubscribe"
publish="+publish +spublish"

# Messages, histories, controls that are kept, and the revocations.
history="~$p:history:*"
revocations="~$p:{revocations}:*"
kept="%R~$p:room:*:kept %R~$p:user:*:kept %R~$p:node:*:kept %R~$p:{$p:broadcast}:kept"
keeping="~$p:room:*:kept ~$p:user:*:kept ~$p:node:*:kept ~$p:{$p:broadcast}:kept"
once="~$p:room:*:id:* ~$p:user:*:id:* ~$p:node:*:id:* ~$p:{$p:broadcast}:id:*"
channels="&$p:room:* &$p:user:* &$p:node:* &$p:broadcast &$p:account:*"
append="+script|load +get +set +del +hget +hmget +hset +hincrby +pexpire +xadd +xrange +xrevrange +wait"
revoke="+hdel +hlen +hsetnx +pexpireat +zadd +zrangebyscore +zrem +zrevrange"

# Consumers of client events and lifecycle events.
consume="+script|load +get +set +del +exists +hgetall +hset +pexpire +xack +xadd +xclaim +xdel +xgroup|create +xinfo|groups +xinfo|stream +xpending +xrange +xread +xreadgroup +xrevrange +xtrim"
consumed="~$p:events:* ~$p:lifecycle:* %R~$p:presence:{p*}:lifecycle %R~$p:presence:online"

# A script names its keys as written to, so the users that only read the leases have the two commands of that script alone.
leases="(+eval +evalsha +time +zrange ~$p:presence:{nodes}:*)"

# user <role> <password> <rules>
user() {
  [ -n "$2" ] || { echo "The user $p-$1 needs a password." >&2; exit 1; }
  hash=$(printf %s "$2" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
  echo "user $p-$1 reset on #$hash -@all $connect $3"
}

user edge "${EDGE_PASSWORD:-}" "$scripts $publish $subscribe $channels $history $once $kept $revocations $append $revoke \
~$p:namespaces ~$p:node:*:probe ~$p:presence:{nodes}:alive ~$p:presence:{nodes}:dead ~$p:presence:{nodes}:wire ~$p:presence:{p*}:reports \
~$p:presence:{p*}:appended:* %R~$p:presence:online ~$p:events:* \
+exists +hvals +xinfo|groups +xlen +xpending +xtrim +zscore"

user presence "${PRESENCE_PASSWORD:-}" "$scripts $publish &$p:room:* &$p:node:* ~$p:presence:* ~$p:room:*:id:presence/* \
~$p:node:*:id:presence/* ~$p:node:*:kept \
+del +hdel +hget +hgetall +hkeys +hmget +hscan +hset +hvals +lrange +pexpire +rpush +set +xadd +xlen +xrange +xread +xrevrange +xtrim \
+zadd +zrange +zrangebyscore +zrem +zremrangebyscore"

user api "${API_PASSWORD:-}" "$scripts $publish $subscribe $channels &$p:api:probe $history $once $keeping $revocations \
$append $revoke ~$p:api:key:* ~$p:api:{$p:api:probe}:probe %R~$p:namespaces %R~$p:presence:online ~$p:events:* ~$p:lifecycle:* \
+hkeys +hvals +xdel +xinfo|groups +xlen $leases"

user webhooks "${WEBHOOKS_PASSWORD:-}" "$scripts $consume $consumed +hvals"

user service "${SERVICE_PASSWORD:-}" "$scripts $publish $subscribe $channels $history $once $keeping $revocations \
$append $revoke %R~$p:namespaces $consume $consumed +hkeys +hvals +xlen $leases${SERVICE_KEYS:+ ~$SERVICE_KEYS}"
