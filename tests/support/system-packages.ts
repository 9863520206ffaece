/** Finds programs on the PATH, and installs them with the system's package manager if allowed. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first of `names` found on the PATH, as a path. */
export function findProgram(names: readonly string[]): string | undefined {
  const directories = (process.env.PATH ?? '').split(delimiter).filter(directory => directory !== '');
  const candidates = names.flatMap(name => directories.map(directory => join(directory, name)));
  return candidates.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // Missing or not executable.
  }
}

/** The name of the program's package, by package manager. */
export interface PackageNames {
  readonly apt: string;
  readonly apk: string;
  readonly dnf: string;
}

/** Installs a package as root with a known package manager. Returns whether it succeeded. */
export function installPackage(names: PackageNames): boolean {
  if (process.getuid?.() !== 0) return false;
  if (findProgram(['apt-get'])) {
    // Two test workers may install simultaneously: apt waits for its lock instead of failing.
    const apt = ['-o', 'DPkg::Lock::Timeout=300', '-qq'];
    return (
      run('apt-get', [...apt, 'update']) &&
      run('apt-get', [...apt, 'install', '-y', '--no-install-recommends', names.apt])
    );
  }
  if (findProgram(['apk'])) return run('apk', ['add', '--no-cache', names.apk]);
  if (findProgram(['dnf'])) return run('dnf', ['install', '-y', names.dnf]);
  return false;
}

function run(program: string, args: readonly string[]): boolean {
  console.log(`Installing for the tests: ${program} ${args.join(' ')}`);
  const { status } = spawnSync(program, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return status === 0;
}
