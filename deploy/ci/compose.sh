#!/usr/bin/env bash
# Starts docker-compose.yml, with the files of deploy/compose that are named: `deploy/ci/compose.sh sentinel`.
# Requires that a message of one client reaches another through HAProxy, and the same after the end of the service redis.
# Needs Docker with Compose, and a build of this clone (npm run build) for the client SDK.
set -euo pipefail
cd "$(dirname "$0")/../.."
HUBBUB_JWT_SECRET=$(openssl rand -base64 48)
HUBBUB_PRESENCE_API_KEYS=$(openssl rand -hex 24)
export HUBBUB_JWT_SECRET HUBBUB_PRESENCE_API_KEYS
files=(-f docker-compose.yml)
for variant; do files+=(-f "deploy/compose/$variant.yaml"); done
compose() { docker compose "${files[@]}" "$@"; }
trap 'compose logs --tail 20; compose down --volumes' EXIT

exchange() { node deploy/ci/exchange.mjs ws://127.0.0.1:8080/ws "$one" "$two"; }

compose up --build --wait --wait-timeout 300
one=$(compose exec -T edge-1 hubbub token --user u1 --name One)
two=$(compose exec -T edge-2 hubbub token --user u2 --name Two)
exchange
if [ $# -gt 0 ]; then
  compose kill redis
  exchange
  compose up --wait --wait-timeout 300
  exchange
fi
