#!/bin/sh
# Writes secret.env, from which kustomization.yaml makes the Secret: keys of your own, because production refuses published ones.
set -eu
umask 077
cat > "${1:-$(dirname "$0")/secret.env}" <<END
HUBBUB_REDIS_URL=redis://redis:6379
HUBBUB_JWT_SECRET=$(openssl rand -base64 48)
HUBBUB_API_KEYS=$(openssl rand -hex 24)
HUBBUB_PRESENCE_API_KEYS=$(openssl rand -hex 24)
HUBBUB_WEBHOOK_SECRETS=whsec_$(openssl rand -base64 32)
END
