/** The app of the Pusher protocol that clients and back ends of the benchmarks use. */
import { appNamespace } from '@hubbub/protocol/pusher';

export const APP = { id: 'bench', key: 'a-key-of-the-benchmark', secret: 'a-secret-of-the-benchmark' };
/** Of its public channels. */
export const APP_NAMESPACE = appNamespace(APP.id, '');
