#!/bin/sh
# Writes new secrets of a cluster into a folder, one file each, and the Redis users that belong to them.
# Usage: make-secrets.sh <folder> [address of Redis]. In the address, USER and PASSWORD stand for those of each role; default:
# redis://USER:PASSWORD@redis:6379. Existing files stay as they are. SERVICE_KEYS is for users.sh.
set -eu
here=$(dirname "$0")
folder=$1
address=${2:-redis://USER:PASSWORD@redis:6379}
mkdir -p "$folder"
# Only the owner opens the folder. Compose mounts single files of it, which the users of the containers must read.
chmod 700 "$folder"
umask 022

# put <file> <content>
put() { [ -e "$folder/$1" ] || printf '%s' "$2" >"$folder/$1"; }

put jwt-secret "$(openssl rand -base64 48)"
# For a rotation: the next secret before its use, the previous one until its tokens expire. One a line.
put jwt-accepted-secrets ''
put api-keys "$(openssl rand -hex 24)"
put presence-api-keys "$(openssl rand -hex 24)"
put webhook-secrets "whsec_$(openssl rand -base64 32)"
# Of the user `default`, for the servers themselves and for operators.
put redis-password "$(openssl rand -hex 24)"
for role in edge presence api webhooks service; do
  password=$(openssl rand -hex 24)
  put "redis-url-$role" "$(echo "$address" | sed "s/USER/hubbub-$role/; s/PASSWORD/$password/")"
done

# password_of <role>
password_of() { sed 's/^[^@]*:\([0-9a-f]*\)@.*/\1/' "$folder/redis-url-$1"; }

if [ ! -e "$folder/users.acl" ]; then
  hash=$(openssl dgst -sha256 -r <"$folder/redis-password" | cut -d ' ' -f 1)
  echo "user default reset on #$hash ~* &* +@all" >"$folder/users.acl"
  EDGE_PASSWORD=$(password_of edge) PRESENCE_PASSWORD=$(password_of presence) API_PASSWORD=$(password_of api) \
    WEBHOOKS_PASSWORD=$(password_of webhooks) SERVICE_PASSWORD=$(password_of service) \
    "$here/redis/users.sh" >>"$folder/users.acl"
fi
