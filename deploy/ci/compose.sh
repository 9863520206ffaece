#!/usr/bin/env bash
# Starts docker-compose.yml, and requires that a message of one client reaches another through HAProxy.
# Needs Docker with Compose, and a build of this clone (npm run build) for the client SDK.
set -euo pipefail
cd "$(dirname "$0")/../.."
HUBBUB_JWT_SECRET=$(openssl rand -base64 48)
HUBBUB_PRESENCE_API_KEYS=$(openssl rand -hex 24)
export HUBBUB_JWT_SECRET HUBBUB_PRESENCE_API_KEYS
trap 'docker compose logs --tail 20; docker compose down --volumes' EXIT

docker compose up --build --wait --wait-timeout 300
one=$(docker compose exec -T edge-1 hubbub token --user u1 --name One)
two=$(docker compose exec -T edge-2 hubbub token --user u2 --name Two)
node deploy/ci/exchange.mjs ws://127.0.0.1:8080/ws "$one" "$two"
