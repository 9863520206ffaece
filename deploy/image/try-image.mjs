/** Tries the image of Hubbub: the command line speaks, the default command becomes ready and leaves in order. */
import { ended, healthy, start, startListening, userOf } from './run-image.mjs';

/** @param {import('./run-image.mjs').Image} image */
export async function tryCommandLine(image) {
  const { code, output } = await ended(start(image, ['--help'], {}));
  if (code !== 0 || !output.includes('Usage: hubbub')) throw new Error(`hubbub --help ended with ${code}:\n${output}`);
  console.log(`hubbub --help: ${output.split('\n').length} lines, as user ${userOf() ?? 'of this shell'}`);
}

/** The default command becomes ready, the health check agrees, and the stop signal ends it with 0. */
export async function tryEdge(image) {
  const edge = await startListening(image, image.facts.CMD, {
    HUBBUB_PORT: '0',
    HUBBUB_ADMIN_PORT: '0',
    HUBBUB_JWT_SECRET: 'only-for-the-rehearsal-of-the-image-steps',
    HUBBUB_DRAIN_DELAY_MS: '0',
  });
  const { adminPort } = edge.told;
  console.log(`hubbub ${image.facts.CMD.join(' ')}: admin port ${adminPort}`);
  const environment = { HUBBUB_ADMIN_PORT: String(adminPort) };
  await healthy(image, () => ['/readyz'], environment);
  await healthy(image, args => args, environment);
  await edge.stop();
  console.log(`${image.facts.STOPSIGNAL}: ended with 0`);
}
