/** A port that cannot be bound: the error names the reason and the setting. */
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { cleanup } from '../support/cleanup.js';
import { runHubbub } from '../support/process.js';
import { startRedis } from '../support/redis.js';

const PORTS = { HUBBUB_PORT: '0', HUBBUB_ADMIN_PORT: '0', HUBBUB_API_PORT: '0' };
/** An address of TEST-NET-3 (RFC 5737), which no machine has. */
const FOREIGN = '203.0.113.5';

async function takenPort(): Promise<string> {
  const server = createServer();
  cleanup(() => void server.close());
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return String(Object(server.address()).port);
}

describe('hubbub start', () => {
  test.each([
    ['HUBBUB_HOST', FOREIGN, 'this machine does not have the address'],
    ['HUBBUB_ADMIN_HOST', FOREIGN, 'this machine does not have the address'],
    ['HUBBUB_HOST', 'no-such-host.invalid', 'the name has no address'],
    ['HUBBUB_ADMIN_HOST', 'no-such-host.invalid', 'the name has no address'],
  ])('%s=%s', async (setting, host, reason) => {
    const { code, stderr } = await runHubbub(['start'], { ...PORTS, [setting]: host });
    expect(code).toBe(1);
    expect(stderr).toContain(`Cannot listen on ${host}:0: ${reason}. Set ${setting}`);
    expect(stderr).not.toContain('taken');
  });

  test.each([
    ['--port', 'HUBBUB_PORT'],
    ['--admin-port', 'HUBBUB_ADMIN_PORT'],
  ])('%s of another program: the error names the option and the setting', async (option, setting) => {
    const port = await takenPort();
    const { code, stderr } = await runHubbub(['start', option, port], PORTS);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `Cannot listen on 127.0.0.1:${port}: the port is taken. Set ${option} or ${setting}, or end the program that has it.`,
    );
  });
});

test.each([
  [['api'], 'HUBBUB_API_HOST'],
  [['edge', '--workers', '1'], 'HUBBUB_HOST'],
  [['edge', '--workers', '1'], 'HUBBUB_ADMIN_HOST'],
])('hubbub %j with an unbindable %s', async (args, setting) => {
  const redis = await startRedis();
  const env = { ...PORTS, HUBBUB_REDIS_URL: redis.url, HUBBUB_REDIS_PREFIX: redis.prefix, [setting]: FOREIGN };
  const { code, stderr } = await runHubbub(args, env);
  expect(code).toBe(1);
  expect(stderr).toContain(`this machine does not have the address. Set ${setting}`);
});
