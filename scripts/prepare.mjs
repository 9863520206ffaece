/** What start, test, build and bench do first: install and build, each only when something has changed. */
import { build, isBuilt } from './prepare/build.mjs';
import { install, isInstalled } from './prepare/install.mjs';
import { alone } from './prepare/lock.mjs';
import { fail } from './prepare/terminal.mjs';

// Everything here and below is plain Node: it runs before anything is installed.

/** Installs and builds what is missing or outdated. Ends the process, with the reason told, when that fails. */
export async function prepare() {
  refuseOldNode();
  if (isInstalled() && isBuilt()) return;
  await alone(async () => {
    if (!isInstalled()) await install();
    if (!isBuilt()) await build();
  });
}

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(`Hubbub needs Node 20.19 or newer; this is ${process.versions.node}.`);
}
