import { readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';
import { sha256 } from '../contracts/digest.ts';
import type { CodeParts } from '../contracts/digest-parts.ts';
import type { Result } from '../contracts/problem.ts';
import { stepContractVersion } from './define.ts';

const definitions = fileURLToPath(new URL('define.ts', import.meta.url));
const bareImport = /^(?:@[^/]+\/)?[^./][^/]*/;

/** A step's module with all that it imports, tree-shaken and stripped of white space; and the files whose change would change it. */
export interface ModuleBundle {
  readonly code: string;
  readonly files: readonly string[];
  /** The code module by module. */
  readonly parts: CodeParts;
}

/** Bundles a step's module: packages stand as `name@version` by the lock file, the engine's definitions as their contract version. */
export async function bundleModule(module: string): Promise<Result<ModuleBundle>> {
  const files = new Set<string>();
  const lock = lockAbove(dirname(module));
  const boundary: Plugin = {
    name: 'step-boundary',
    async resolveId(specifier, importer) {
      if (!importer) return null;
      if (specifier.startsWith('node:')) return { id: specifier, external: true };
      const bare = bareImport.exec(specifier)?.[0];
      if (bare) {
        if (lock) files.add(lock.path);
        return { id: `${bare}@${lock?.versions.get(bare) ?? 'unlocked'}${specifier.slice(bare.length)}`, external: true };
      }
      const resolved = await this.resolve(specifier, importer, { skipSelf: true });
      return resolved?.id === definitions ? { id: `twin:engine@${stepContractVersion}`, external: true } : null;
    },
    load(id) {
      files.add(id);
      return null;
    },
  };
  try {
    const build = await rolldown({
      input: module,
      platform: 'node',
      logLevel: 'silent',
      plugins: [boundary],
      treeshake: { manualPureFunctions: ['z'], propertyReadSideEffects: false },
    });
    const { output } = await build.generate({
      format: 'esm',
      comments: false,
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    });
    await build.close();
    const chunks = output.filter((part) => part.type === 'chunk');
    if (chunks.length > 1 || chunks.some((chunk) => importsDynamically(chunk.code))) return dynamicImport(module);
    const parts = partsOf(chunks[0], lock ? dirname(lock.path) : dirname(module));
    return { ok: true, value: { code: chunks[0]?.code ?? '', files: [...files], parts } };
  } catch (error) {
    const message = `The code of ${module} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return { ok: false, error: { reason: 'code-unreadable', message, where: module, exit: 2 } };
  }
}

/** A module of a bundle begins with a comment that names its path from the working directory. */
const pathComment = /^\/\/[^\n]*\n/;
const packageVersion = /^((?:@[^/]+\/)?[^/@]+)@([^/]+)/;

function partsOf(chunk: OutputChunk | undefined, root: string): CodeParts {
  const modules: Record<string, string> = {};
  const packages: Record<string, string> = {};
  for (const [path, { code }] of Object.entries(chunk?.modules ?? {})) {
    if (code !== null) modules[relative(root, path)] = sha256(code.replace(pathComment, ''));
  }
  for (const imported of chunk?.imports ?? []) {
    const [, name, version] = packageVersion.exec(imported) ?? [];
    if (name !== undefined && version !== undefined) packages[name] = version;
  }
  return { modules, packages };
}

function dynamicImport(module: string): Result<never> {
  return {
    ok: false,
    error: {
      reason: 'dynamic-import',
      message: `The step in ${module} imports code dynamically, so that its fingerprint could not tell when that code changes`,
      where: module,
      expected: 'static imports alone in a step and in all that it imports',
      found: 'import()',
      hint: 'Import it at the top, or reach it through a port',
      exit: 2,
    },
  };
}

interface Lock {
  readonly path: string;
  readonly versions: ReadonlyMap<string, string>;
}

const locks = new Map<string, Lock & { readonly stamp: string }>();

/** The package-lock.json that governs a folder, the nearest above it; parsed again only when it has changed. */
function lockAbove(folder: string): Lock | null {
  const path = join(folder, 'package-lock.json');
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return dirname(folder) === folder ? null : lockAbove(dirname(folder));
  const stamp = `${stats.size} ${stats.mtimeMs}`;
  const known = locks.get(path);
  if (known?.stamp === stamp) return known;
  const { packages = {} } = JSON.parse(readFileSync(path, 'utf8')) as { packages?: Record<string, { version?: string }> };
  const versions = new Map<string, string>();
  for (const [place, { version }] of Object.entries(packages)) {
    if (place.startsWith('node_modules/') && version) versions.set(place.slice('node_modules/'.length), version);
  }
  const lock = { path, versions, stamp };
  locks.set(path, lock);
  return lock;
}

/** Whether code holds an `import()`; parsed only where the text looks like it, as a string may say so too. */
function importsDynamically(code: string): boolean {
  return /\bimport\s*\(/.test(code) && holdsImportExpression(parseAst(code));
}

function holdsImportExpression(node: unknown): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if ((node as { type?: unknown }).type === 'ImportExpression') return true;
  return Object.values(node).some(holdsImportExpression);
}
