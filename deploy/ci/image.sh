#!/usr/bin/env bash
# Starts the image hubbub:0.1.0, waits until it is healthy, and calls its commands.
set -euo pipefail
image=${1:-hubbub:0.1.0}
container=$(docker run --detach --read-only --env HUBBUB_JWT_SECRET="$(openssl rand -base64 48)" "$image")
trap 'docker logs --tail 30 "$container"; docker rm --force "$container" >/dev/null' EXIT

for _ in $(seq 30); do
  state=$(docker inspect --format '{{.State.Health.Status}}' "$container")
  [ "$state" = healthy ] && break
  sleep 2
done
[ "$state" = healthy ] || { echo "The container is $state after 60 s."; exit 1; }
docker exec "$container" hubbub --version
docker exec "$container" hubbub token --user u1 --name One >/dev/null
echo "The image serves."
