#!/usr/bin/env bash
# Installs the chart, with a Redis in the release, and requires that a message of one client reaches another.
# Needs a cluster that has the image hubbub:0.1.0 (kind load docker-image), kubectl, Helm, and a build of this clone.
set -euo pipefail
cd "$(dirname "$0")/../.."
secrets=$(mktemp -d)
trap 'kubectl -n hubbub get pods; kubectl -n hubbub logs -l app.kubernetes.io/part-of=hubbub --tail 20; rm -rf "$secrets"' EXIT

deploy/make-secrets.sh "$secrets" 'redis://USER:PASSWORD@hubbub-redis:6379'
kubectl create namespace hubbub
kubectl label namespace hubbub pod-security.kubernetes.io/enforce=restricted
kubectl -n hubbub create secret generic hubbub --from-file="$secrets"
helm -n hubbub install hubbub deploy/helm/hubbub --wait --timeout 5m \
  --set redis.mode=single,redis.persistence=false,networkPolicies.enabled=false
one=$(kubectl -n hubbub exec deploy/hubbub-edge -- hubbub token --user u1 --name One)
two=$(kubectl -n hubbub exec deploy/hubbub-edge -- hubbub token --user u2 --name Two)
kubectl -n hubbub port-forward service/hubbub-edge 8080 &
forward=$!
sleep 3
node deploy/ci/exchange.mjs ws://127.0.0.1:8080/ws "$one" "$two"
kill "$forward"
echo "The chart serves."
