/** Checks the machine's limits for a process: file descriptors, Node, the engine's build, the kernel's settings. */
import { readFile } from 'node:fs/promises';
import type { Config } from '@hubbub/config';
import { ENGINE_NODES, loadEngine } from '@hubbub/edge';
import { type Check, fail, messageOf, ok, warn } from './check.js';

/** Below it an edge holds no more than a try-out does. */
const OPEN_FILES_MIN = 1024;
const OPEN_FILES_WANTED = 10_000;
/** Fixed in uSockets (`bsd_create_listen_socket`). The kernel takes the smaller one of this and somaxconn. */
const ENGINE_BACKLOG = 512;
const NODE_OLDEST = [20, 19] as const;
/** The last day of support of each line: https://github.com/nodejs/Release/blob/main/schedule.json, as of 2026-11-30. */
const NODE_ENDS: Readonly<Record<number, string>> = {
  20: '2026-04-30',
  22: '2027-04-30',
  24: '2028-04-30',
  26: '2029-04-30',
};

export function openFiles(): Check {
  const limit = softLimit();
  if (limit === undefined) return ok('open files', 'no limit');
  const found = `${limit} for a process, one for each connection`;
  const change =
    'ulimit -Hn 65536 as root in the shell that starts it; LimitNOFILE=65536 in a systemd unit; --ulimit nofile=65536:65536 for docker run. More processes (hubbub edge --workers) have a limit each.';
  if (limit < OPEN_FILES_MIN) return fail('open files', found, change);
  return limit < OPEN_FILES_WANTED ? warn('open files', found, change) : ok('open files', found);
}

/** Node has raised it to the hard one when it started. */
function softLimit(): number | undefined {
  // Or it asks DNS for the names of all connections' ends.
  Object.assign(process.report, { excludeNetwork: true });
  const report: { userLimits?: { open_files?: { soft?: unknown } } } = Object(process.report.getReport());
  const soft = Number(report.userLimits?.open_files?.soft);
  return Number.isFinite(soft) ? soft : undefined;
}

/** @param today `2026-11-30` */
export function nodeVersion(version = process.versions.node, today = new Date().toISOString().slice(0, 10)): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = NODE_OLDEST;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    return fail('Node', version, `Install Node ${NODE_OLDEST.join('.')} or newer: https://nodejs.org`);
  }
  const supported = Object.entries(NODE_ENDS).filter(([, end]) => end >= today);
  const change = `Install Node ${supported.map(([line]) => line).join(' or ') || 'of a supported line'}: https://nodejs.org`;
  if (!ENGINE_NODES.includes(major)) return fail('Node', `${version}, for which the engine has no build`, change);
  const end = NODE_ENDS[major];
  if (end !== undefined && end < today) {
    return warn('Node', `${version}: Hubbub runs on it, but its support ended on ${end}`, change);
  }
  // Odd lines have no long-term support.
  if (major % 2 === 1) return warn('Node', `${version}: Hubbub runs on it, but its support is short`, change);
  return ok('Node', end === undefined ? version : `${version}, supported until ${end}`);
}

export function engineBuild(): Check {
  try {
    return ok('engine', loadEngine().build);
  } catch (error) {
    // Its message names the command that installs one.
    return fail('engine', 'none loads here', messageOf(error));
  }
}

/** Linux only: elsewhere there are no such files, and nothing is reported. */
export async function kernelSettings(config: Config): Promise<Check[]> {
  const [somaxconn, range, reserved, migrate] = await Promise.all([
    kernelSetting('core/somaxconn'),
    kernelSetting('ipv4/ip_local_port_range'),
    kernelSetting('ipv4/ip_local_reserved_ports'),
    kernelSetting('ipv4/tcp_migrate_req'),
  ]);
  const checks: Check[] = [];
  if (somaxconn !== undefined) checks.push(acceptQueue(Number(somaxconn)));
  if (range !== undefined) checks.push(ephemeralPorts(range, reserved ?? '', config));
  if (migrate !== undefined) checks.push(migration(migrate));
  return checks;
}

/** @param length of the kernel's queue */
export function acceptQueue(length: number): Check {
  const name = 'net.core.somaxconn';
  const found = `${Math.min(length, ENGINE_BACKLOG)} connections may wait until a process accepts them`;
  if (length < ENGINE_BACKLOG) return warn(name, found, `sysctl -w ${name}=4096`);
  return ok(name, `${found}, the engine's fixed number; with --workers each worker has its own queue`);
}

/** A port that the kernel may give to an outgoing connection can be taken when the server wants it. */
export function ephemeralPorts(
  range: string,
  reserved: string,
  { port, adminPort, apiPort }: Pick<Config, 'port' | 'adminPort' | 'apiPort'>,
): Check {
  const name = 'net.ipv4.ip_local_port_range';
  const [first = 0, last = 0] = range.split(/\s+/).map(Number);
  const kept = reserved.split(',').map(part => part.split('-').map(Number));
  const isKept = (own: number) => kept.some(([from = 0, to = from]) => own >= from && own <= to);
  const endangered = [port, adminPort, apiPort].filter(own => own >= first && own <= last && own !== 0 && !isKept(own));
  const found = `outgoing connections use ${first} to ${last}`;
  if (endangered.length === 0) return ok(name, found);
  return warn(
    name,
    `${found}, also ${endangered.join(', ')}, which Hubbub listens on`,
    `sysctl -w net.ipv4.ip_local_reserved_ports=${[reserved, ...endangered].filter(part => part !== '').join(',')}`,
  );
}

function migration(value: string): Check {
  if (value === '1') return ok('net.ipv4.tcp_migrate_req', 'on');
  return warn(
    'net.ipv4.tcp_migrate_req',
    'off: connections that arrive while a worker of --workers closes its port are refused',
    'sysctl -w net.ipv4.tcp_migrate_req=1',
  );
}

async function kernelSetting(path: string): Promise<string | undefined> {
  try {
    return (await readFile(`/proc/sys/net/${path}`, 'utf8')).trim();
  } catch {
    return undefined; // Not Linux, an older kernel, or a container that does not show it.
  }
}
