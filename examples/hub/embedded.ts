/** The hub of an example in this process, in memory: the default. */
import { type EmbeddedHub, startEmbeddedHub } from '@hubbub/cli/embedded';
import type { Example } from '../service/example.js';
import { exampleFile } from '../service/example-file.js';
import { EXAMPLE_SECRET } from '../service/settings.js';

export function startHub(example: Example, serviceUrl: string, host: string): Promise<EmbeddedHub> {
  return startEmbeddedHub({
    HUBBUB_HOST: host,
    HUBBUB_PORT: '0',
    HUBBUB_ADMIN_PORT: '0',
    HUBBUB_LOG_LEVEL: 'warn',
    HUBBUB_JWT_SECRET: EXAMPLE_SECRET,
    HUBBUB_CONFIG: exampleFile(example.name, 'hub.yaml'),
    ...example.hubVariables?.(serviceUrl),
  });
}
