/** The first step of start, test, build and bench: install and build, each only after a change. */
import { build, isBuilt } from './prepare/build.mjs';
import { install, isInstalled } from './prepare/install.mjs';
import { alone } from './prepare/lock.mjs';
import { fail } from './prepare/terminal.mjs';

// Everything here and below is plain Node: it runs before anything is installed.

/** Installs and builds what is missing or outdated. Ends the process with a message when that fails. */
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
