/** Warnings at the start of a process: each has a name, for the log, `config check` and doctor. */
import { isLoopbackHost, isProtectedUrl } from './loopback.js';
import { brokenRelations, type RelatedSettings } from './relations.js';
import { API_KEY_MIN_BYTES, isPublishedSecret, secretWeakness } from './secret-strength.js';
import { usesDevelopmentSecret } from './settings/tokens.js';
import type { CleanedValues } from './sources.js';
import type { FoundTraces } from './traces.js';

export interface ConfigWarning {
  /** Such as `development_secret`: the `event` of the log line. */
  readonly name: string;
  readonly message: string;
  /** The suggested change. */
  readonly change: string;
  /** Concerns processes with the public port only: edges and `hubbub start`. */
  readonly ofEdges?: boolean;
}

/** Values that are not used as they were given. */
interface UnusedValues extends CleanedValues, Pick<FoundTraces, 'ignored'> {}

type WarningSettings = RelatedSettings & { readonly production: boolean };

const PRODUCTION = 'export NODE_ENV=production HUBBUB_JWT_SECRET="$(openssl rand -base64 48)"';
const ENVIRONMENTS = ['production', 'development', 'test'];

/** @param nodeEnv as it is set, whatever it is */
export function configWarnings(
  settings: WarningSettings,
  nodeEnv: string | undefined,
  cleaned: UnusedValues,
): ConfigWarning[] {
  return [
    ...modeWarnings(settings, nodeEnv),
    ...(settings.production ? productionWarnings(settings) : []),
    ...valueWarnings(settings, cleaned),
    ...brokenRelations(settings, new Set())
      .filter(({ severity }) => severity === 'warning')
      .map(({ message }) => ({
        name: 'settings_relation',
        message,
        change: 'See the table of relations in docs/settings.md',
      })),
  ];
}

function valueWarnings(
  settings: WarningSettings,
  { lineBreaks, serviceLinks, ignored }: UnusedValues,
): ConfigWarning[] {
  const warnings: ConfigWarning[] = [];
  if (lineBreaks.length > 0) {
    warnings.push({
      name: 'line_break_removed',
      message: `a line break at the end is not part of the value: ${lineBreaks.join(', ')}`,
      change:
        'Write it without: printf \'%s\' "$SECRET" instead of echo. Programs that sign tokens need the same secret.',
    });
  }
  const secrets = [settings.jwtSecret ?? '', ...settings.jwtAcceptedSecrets];
  if (secrets.some(secret => secret !== secret.trim())) {
    warnings.push({
      name: 'secret_with_spaces',
      message: 'a secret of tokens begins or ends with spaces, which are part of it',
      change: 'Remove them from HUBBUB_JWT_SECRET or HUBBUB_JWT_ACCEPTED_SECRETS, and where tokens are signed',
    });
  }
  const durable = Object.entries(settings.namespaces).flatMap(([name, own]) => (own.durable ? [name] : []));
  if (settings.redisUrl === undefined && durable.length > 0) {
    warnings.push({
      name: 'durable_in_memory',
      message: `messages are in memory only, although these namespaces are durable: ${durable.join(', ')}`,
      change: 'export HUBBUB_REDIS_URL=redis+sentinel://…, or remove `durable` from the namespaces',
    });
  }
  if (serviceLinks.length > 0) {
    warnings.push({
      name: 'kubernetes_service_links',
      message: `Kubernetes set variables for a Service whose name begins with hubbub; they are ignored: ${serviceLinks.join(', ')}`,
      change: 'Set enableServiceLinks: false in the spec of the pod',
    });
  }
  if (ignored.length > 0) {
    warnings.push({
      name: 'otel_variable_ignored',
      message: `variables of OpenTelemetry are ignored: ${ignored.join('; ')}`,
      change: 'export HUBBUB_OTLP_URL=http://<collector>:4318 and HUBBUB_TRACE_RATIO, or correct the variables',
    });
  }
  return warnings;
}

function modeWarnings(settings: WarningSettings, nodeEnv: string | undefined): ConfigWarning[] {
  const warnings: ConfigWarning[] = [];
  if (nodeEnv !== undefined && nodeEnv !== '' && !ENVIRONMENTS.includes(nodeEnv)) {
    warnings.push({
      name: 'node_env',
      message: `NODE_ENV=${nodeEnv} means development: only "production", in lower case, is production`,
      change: 'export NODE_ENV=production',
    });
  }
  if (settings.production) return warnings;
  const published = [settings.jwtSecret ?? '', ...settings.jwtAcceptedSecrets].some(isPublishedSecret);
  if (usesDevelopmentSecret(settings) || published) {
    warnings.push({
      name: 'development_secret',
      message: published
        ? 'HUBBUB_JWT_SECRET is published with Hubbub: anyone can sign tokens'
        : 'HUBBUB_JWT_SECRET is not set, nor any other key: tokens are signed with the DEVELOPMENT SECRET, which is public',
      change: PRODUCTION,
    });
  }
  const { host, adminHost, apiHost } = settings;
  const open = Object.entries({ HUBBUB_HOST: host, HUBBUB_ADMIN_HOST: adminHost, HUBBUB_API_HOST: apiHost })
    .filter(([, address]) => !isLoopbackHost(address))
    .map(([variable, address]) => `${variable}=${address}`);
  if (open.length > 0) {
    warnings.push({
      name: 'development_beyond_this_machine',
      message: `DEVELOPMENT MODE on an address that other machines reach (${open.join(', ')}): weak secrets and keys are accepted`,
      change: PRODUCTION,
    });
  }
  return warnings;
}

function productionWarnings(settings: WarningSettings): ConfigWarning[] {
  const { allowedOrigins, tlsCertFile, tlsCiphers, jwtJwksUrl, jwtIssuer, jwtAudience, authorizerUrl, authorizerKey } =
    settings;
  const warnings: ConfigWarning[] = [];
  if (allowedOrigins === undefined) {
    warnings.push({
      name: 'no_allowed_origins',
      message: 'HUBBUB_ALLOWED_ORIGINS is not set: every browser is refused with 403 ORIGIN_NOT_ALLOWED',
      change: 'export HUBBUB_ALLOWED_ORIGINS=https://your-site.example; empty where only programs connect',
      ofEdges: true,
    });
  }
  // !, @ and - take suites away or sort them.
  if (tlsCertFile !== undefined && tlsCiphers.split(':').some(suite => !/^(ECDHE[-+]|TLS_|[!@-])/.test(suite))) {
    warnings.push({
      name: 'tls_without_forward_secrecy',
      message:
        'HUBBUB_TLS_CIPHERS has suites without forward secrecy: anyone who gets the key later can read recorded traffic',
      change: 'unset HUBBUB_TLS_CIPHERS, or take only those that begin with ECDHE',
    });
  }
  if (jwtJwksUrl !== undefined && jwtAudience === undefined) {
    warnings.push({
      name: 'key_set_without_audience',
      message: 'HUBBUB_JWT_AUDIENCE is not set: tokens that the issuer made for other applications are accepted',
      change: 'export HUBBUB_JWT_AUDIENCE=<the `aud` of your tokens>',
    });
  }
  if (jwtJwksUrl !== undefined && jwtIssuer === undefined) {
    warnings.push({
      name: 'key_set_without_issuer',
      message: 'HUBBUB_JWT_ISSUER is not set: where several issuers share the key set, tokens of each are accepted',
      change: 'export HUBBUB_JWT_ISSUER=<the `iss` of your tokens>',
    });
  }
  if (authorizerUrl !== undefined && authorizerKey !== undefined && !isProtectedUrl(authorizerUrl)) {
    warnings.push({
      name: 'authorizer_in_the_clear',
      message:
        'HUBBUB_AUTHORIZER_URL is http: HUBBUB_AUTHORIZER_KEY and every answer can be read and changed on the way',
      change: 'export HUBBUB_AUTHORIZER_URL=https://…, unless the network between them is yours alone',
    });
  }
  const weakness = authorizerKey && secretWeakness(authorizerKey, API_KEY_MIN_BYTES);
  if (weakness) {
    warnings.push({
      name: 'authorizer_key_weak',
      message: `HUBBUB_AUTHORIZER_KEY: ${weakness}`,
      change: 'export HUBBUB_AUTHORIZER_KEY="$(openssl rand -hex 24)", and the same in the authorizer',
    });
  }
  return warnings;
}
