/** What the settings mean for who can come in, and whether presence can be asked. */
import { type Config, usesDevelopmentSecret } from '@hubbub/runtime';
import { isLoopbackHost } from '../playground.js';
import { askPresence, presenceOf } from '../presence-question.js';
import { type Check, fail, messageOf, ok, warn } from './check.js';

export function admission(config: Config): Check[] {
  return config.production ? inProduction(config) : [inDevelopment(config)];
}

function inDevelopment(config: Config): Check {
  const found = usesDevelopmentSecret(config)
    ? 'development: tokens are signed with a secret that everybody knows'
    : 'development: pages of every origin may connect';
  if (isLoopbackHost(config.host)) return ok('mode', `${found}, on this machine only (${config.host})`);
  return fail(
    'mode',
    `${found}, and HUBBUB_HOST=${config.host} lets other machines in`,
    'export NODE_ENV=production HUBBUB_JWT_SECRET="$(openssl rand -base64 48)"',
  );
}

function inProduction({ allowedOrigins, apiTokens, jwtPublicKeyFiles, jwtJwksUrl, ...config }: Config): Check[] {
  const checks = [ok('mode', 'production')];
  if (allowedOrigins === undefined) {
    checks.push(
      warn('origins', 'unset: no browser may connect', 'export HUBBUB_ALLOWED_ORIGINS=https://your-site.example'),
    );
  } else if (allowedOrigins.includes('*')) {
    checks.push(warn('origins', 'every page may connect', 'export HUBBUB_ALLOWED_ORIGINS=https://your-site.example'));
  } else {
    checks.push(ok('origins', allowedOrigins.join(', ') || 'none'));
  }
  if (isLoopbackHost(config.host)) {
    checks.push(
      warn(
        'address',
        `${config.host}: only a proxy on this machine reaches the edge`,
        'export HUBBUB_HOST=0.0.0.0 where clients or a balancer come from elsewhere',
      ),
    );
  }
  return checks;
}

export async function presence(config: Config): Promise<Check[]> {
  if (config.presenceUrl === undefined) return [];
  try {
    const { online } = await askPresence(presenceOf(config), '/online');
    return [ok('presence', `answers; users online: ${Number(online)}`)];
  } catch (error) {
    return [
      fail(
        'presence',
        messageOf(error),
        'HUBBUB_PRESENCE_URL=http://<admin address of a presence process> and, as there, HUBBUB_PRESENCE_API_KEYS=<key>',
      ),
    ];
  }
}
