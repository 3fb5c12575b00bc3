#!/usr/bin/env node
/**
 * Starts the command. Plain JavaScript that an old Node can read: where the one on the PATH is too old to run
 * TypeScript files, the command is handed to the Node that this repository installs.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = 'Node 22.18 or newer';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

if (runsTypeScript(process.versions.node)) {
  module.enableCompileCache();
  await import('../src/main.ts');
} else {
  handOver(findNode());
}

function runsTypeScript(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major >= 24 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18);
}

/** The `node` package that is installed beside this one, or null. */
function findNode() {
  try {
    const folder = dirname(module.createRequire(import.meta.url).resolve('node/package.json'));
    return ['bin/node', 'bin/node.exe'].map((name) => join(folder, name)).find(existsSync) ?? null;
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

function handOver(node) {
  if (node === null) {
    process.stderr.write(`trunkline needs ${NEEDED}; this is Node ${process.versions.node}.\n`);
    process.exit(1);
  }
  const words = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(node, words, { stdio: 'inherit' });
  // A terminal sends its signals to both; one that was sent to this process alone is passed on.
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`trunkline could not start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}
