{{- define "hubbub.name" -}}
{{ .root.Release.Name }}-{{ .role }}
{{- end }}

{{/* The labels that select the pods of a role. Prometheus takes its `job` from the name. */}}
{{- define "hubbub.selector" -}}
app.kubernetes.io/name: hubbub-{{ .role }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "hubbub.labels" -}}
{{ include "hubbub.selector" . }}
app.kubernetes.io/part-of: hubbub
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{/* For a rollout in steps, a role's own tag or digest takes the place of both of all roles. */}}
{{- define "hubbub.image" -}}
{{- $all := .root.Values.image -}}
{{- $own := (index .root.Values .role).image -}}
{{- $version := ternary $own $all (or $own.tag $own.digest | empty | not) -}}
{{- $all.repository }}{{ if $version.digest }}@{{ $version.digest }}{{ else }}:{{ $version.tag | default .root.Chart.AppVersion }}{{ end -}}
{{- end }}

{{/* Spread over nodes and zones, where that is possible. */}}
{{- define "hubbub.spread" -}}
{{- range tuple "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- topologyKey: {{ . }}
  maxSkew: 1
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "hubbub.selector" $ | nindent 6 }}
{{- end }}
{{- end }}

{{- define "hubbub.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: 1000
{{- if .fsGroup }}
fsGroup: 1000
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "hubbub.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* The roles that this release runs, with their ports and the secrets that each needs. */}}
{{- define "hubbub.roles" -}}
{{- $registry := .Values.secret.registryRedis -}}
roles:
  - role: edge
    ports: { clients: 8080, admin: 8081 }
    service: true
    env: { HUBBUB_TRUSTED_HOPS: {{ .Values.edge.trustedHops | quote }} }
    secrets:
      HUBBUB_REDIS_URL: redis-url-edge
      {{- if $registry }}
      HUBBUB_REGISTRY_REDIS_URL: registry-redis-url-edge
      {{- end }}
      HUBBUB_JWT_SECRET: jwt-secret
      HUBBUB_JWT_ACCEPTED_SECRETS: jwt-accepted-secrets
      {{- if .Values.secret.authorizerKey }}
      HUBBUB_AUTHORIZER_KEY: authorizer-key
      {{- end }}
  - role: presence
    ports: { admin: 8081 }
    service: true
    env: {}
    secrets:
      HUBBUB_REDIS_URL: redis-url-presence
      {{- if $registry }}
      HUBBUB_REGISTRY_REDIS_URL: registry-redis-url-presence
      {{- end }}
      HUBBUB_PRESENCE_API_KEYS: presence-api-keys
  {{- if .Values.api.enabled }}
  - role: api
    ports: { api: 8082, admin: 8081 }
    service: true
    # Unlike an edge, it closes its port immediately on SIGTERM: the endpoints must drop it before that.
    preStopSeconds: 5
    env:
      HUBBUB_API_HOST: 0.0.0.0
      HUBBUB_PRESENCE_URL: http://{{ .Release.Name }}-presence:8081
      {{- if .Values.api.mintsTokens }}
      HUBBUB_API_TOKENS: "true"
      {{- end }}
    secrets:
      HUBBUB_REDIS_URL: redis-url-api
      {{- if $registry }}
      HUBBUB_REGISTRY_REDIS_URL: registry-redis-url-api
      {{- end }}
      HUBBUB_API_KEYS: api-keys
      HUBBUB_PRESENCE_API_KEYS: presence-api-keys
      {{- if .Values.api.mintsTokens }}
      HUBBUB_JWT_SECRET: jwt-secret
      {{- end }}
  {{- end }}
  {{- if .Values.webhooks.enabled }}
  - role: webhooks
    ports: { admin: 8081 }
    service: false
    env: {}
    secrets:
      HUBBUB_REDIS_URL: redis-url-webhooks
      {{- if $registry }}
      HUBBUB_REGISTRY_REDIS_URL: registry-redis-url-webhooks
      {{- end }}
      HUBBUB_WEBHOOK_SECRETS: webhook-secrets
  {{- end }}
  {{- if .Values.console.enabled }}
  - role: console
    ports: { console: 8083, admin: 8081 }
    service: true
    preStopSeconds: 5
    env:
      HUBBUB_CONSOLE_HOST: 0.0.0.0
      HUBBUB_CONSOLE_API_URL: http://{{ .Release.Name }}-api:8082
    secrets: {}
  {{- end }}
{{- end }}

{{/* An expression that selects the pods that connect to Redis. */}}
{{- define "hubbub.redisClients" -}}
- key: app.kubernetes.io/name
  operator: In
  values: [hubbub-edge, hubbub-presence, hubbub-api, hubbub-webhooks, hubbub-redis, hubbub-redis-sentinel, hubbub-redis-create-cluster]
- key: app.kubernetes.io/instance
  operator: In
  values: [{{ .Release.Name }}]
{{- end }}
