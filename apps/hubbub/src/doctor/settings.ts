/** Judges the settings: who can connect, and whether presence can be queried. */
import { type Config, isLoopbackHost } from '@hubbub/config';
import { askPresence, presenceOf } from '../presence-question.js';
import { type Check, fail, messageOf, ok, warn } from './check.js';

export function admission(config: Config): Check[] {
  const checks = config.production ? inProduction(config) : [inDevelopment(config)];
  // Those of the mode are in the first check.
  const others = config.warnings.filter(({ name }) => !name.startsWith('development_'));
  return [...checks, ...others.map(({ name, message, change }) => warn(name, message, change))];
}

function inDevelopment(config: Config): Check {
  const of = (warning: string) => config.warnings.find(({ name }) => name === warning);
  const found = of('development_secret')
    ? 'development: tokens are signed with a public secret'
    : 'development: weak secrets and keys are accepted';
  const beyond = of('development_beyond_this_machine');
  if (beyond === undefined) return ok('mode', `${found}, on this machine only (${config.host})`);
  return fail('mode', `${found}. ${beyond.message}`, beyond.change);
}

function inProduction({ allowedOrigins, ...config }: Config): Check[] {
  const checks = [ok('mode', 'production')];
  // Where it is unset, a warning of the configuration reports that.
  if (allowedOrigins?.includes('*') === true) {
    checks.push(warn('origins', 'every page may connect', 'export HUBBUB_ALLOWED_ORIGINS=https://your-site.example'));
  } else if (allowedOrigins !== undefined) {
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
