#!/usr/bin/env bash
# Starts docker-compose.yml, with the files of deploy/compose that are named: `deploy/ci/compose.sh sentinel`.
# Requires that a message of one client reaches another through HAProxy, and the same after the end of the service redis.
# Needs Docker with Compose, and a build of this clone (npm run build) for the client SDK.
set -euo pipefail
cd "$(dirname "$0")/../.."
SECRETS_FOLDER=$(mktemp -d)
export SECRETS_FOLDER
files=(-f docker-compose.yml)
address=redis://USER:PASSWORD@redis:6379
for variant; do
  files+=(-f "deploy/compose/$variant.yaml")
  address=$(grep --only-matching --max-count 1 'redis+.*' "deploy/compose/$variant.yaml")
done
SERVICE_KEYS='hubbub-example:*' deploy/make-secrets.sh "$SECRETS_FOLDER" "$address"
compose() { docker compose "${files[@]}" "$@"; }
trap 'compose logs --tail 20; compose down --volumes; rm -r "$SECRETS_FOLDER"' EXIT

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
