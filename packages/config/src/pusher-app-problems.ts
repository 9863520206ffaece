/** Checks of the apps of the Pusher protocol against the other settings. */
import { APP_NAMESPACES, appNamespace } from '@hubbub/protocol/pusher';
import { isProtectedUrl } from './loopback.js';
import type { Namespaces } from './namespaces.js';
import type { PusherApp } from './pusher-apps.js';
import type { RoomPath } from './room-paths.js';
import { secretWeakness } from './secret-strength.js';
import type { Settings } from './settings/settings.js';

type RelatedSettings = Pick<Settings, 'webhookAllowHttp'> & {
  readonly pusherApps: readonly PusherApp[];
  readonly namespaces: Namespaces;
  readonly roomPaths: readonly RoomPath[];
};

/** Pusher's own secrets have 20 hexadecimal digits. */
const SECRET_MIN_BYTES = 20;
/** The path of connections of the Pusher protocol, with whatever name for the key. */
const PUSHER_PATH = /^\/app\/\{[^}]*\}$/;

export function pusherAppProblems(
  { pusherApps, namespaces, roomPaths, webhookAllowHttp }: RelatedSettings,
  production: boolean,
): string[] {
  if (pusherApps.length === 0) return [];
  const paths = roomPaths.filter(({ path }) => PUSHER_PATH.test(path));
  const ofPaths = paths.map(({ path }) => `roomPaths.${path}: pusherApps uses this path; expected another`);
  const ofApps = pusherApps.flatMap(({ id, secret, webhooks }, index) => {
    const place = `pusherApps.${index}`;
    const weakness = production ? secretWeakness(secret, SECRET_MIN_BYTES) : undefined;
    const taken = APP_NAMESPACES.map(kind => appNamespace(id, kind)).filter(name => Object.hasOwn(namespaces, name));
    const open = webhooks.filter(({ url }) => !webhookAllowHttp && !isProtectedUrl(url));
    return [
      ...(weakness === undefined ? [] : [`${place}.secret: ${weakness}`]),
      ...taken.map(name => `namespaces.${name}: the app ${id} of pusherApps sets this namespace; remove it here`),
      ...open.map(
        () => `${place}.webhooks: expected https, or http on this machine; HUBBUB_WEBHOOK_ALLOW_HTTP=true allows http`,
      ),
    ];
  });
  return [...ofPaths, ...ofApps];
}
