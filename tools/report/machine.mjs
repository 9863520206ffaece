/** Describes the machine and the versions that figures come from, without anything that identifies the machine. */
import { spawnSync } from 'node:child_process';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { loadEngine } from '@hubbub/edge';

/** @param {{ redis: string, pinning?: string, engine?: string }} parts `redis`: its version; `pinning`: of processes to cores */
export function describeMachine({ redis, pinning = 'not pinned', engine = loadEngine().build }) {
  const processors = cpus();
  return {
    processor: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${type()} ${release().split('-')[0]} ${arch()}`,
    node: process.version,
    redis,
    engine,
    pinning,
    commit: commit(),
  };
}

function commit() {
  const git = (...args) => spawnSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).stdout?.trim() ?? '';
  const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
  return `${git('rev-parse', '--short', 'HEAD') || 'unknown'}${changed ? ' with uncommitted changes' : ''}`;
}
