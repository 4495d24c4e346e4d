import { readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** Rooms that are no domain: every other folder of src is one. */
const rooms = new Set(['contracts', 'ports', 'engine', 'history', 'adapters', 'workers', 'clients', 'server', 'config', 'report', 'cli']);

/** What each room may import beside itself. A file's name stands for that file alone, `types:` for type-only imports. */
const arrows: Record<string, readonly string[]> = {
  contracts: [],
  ports: ['contracts'],
  history: ['ports', 'contracts'],
  engine: ['history', 'ports', 'contracts'],
  domain: ['types:ports', 'contracts'],
  clients: ['contracts'],
  workers: ['contracts'],
  steps: ['src/engine/define.ts', 'domain', 'types:ports', 'contracts'],
  pipelines: ['steps', 'src/engine/define.ts'],
  adapters: ['ports', 'contracts', 'domain', 'clients', 'workers'],
  config: ['contracts'],
  report: ['contracts'],
  server: ['domain', 'history', 'ports', 'contracts'],
  cli: ['contracts', 'ports', 'history', 'engine', 'domain', 'clients', 'workers', 'steps', 'pipelines', 'config', 'report', 'server'],
};

/** Packages that a room is limited to; where none is named, packages are free but for client libraries. */
const packagesOf: Record<string, readonly string[]> = {
  contracts: ['zod', 'node:crypto'],
  ports: [],
  steps: ['zod'],
  pipelines: ['zod'],
};
const clientLibraries = new Set([
  'mongodb',
  'ioredis',
  'bullmq',
  '@qdrant/js-client-rest',
  '@aws-sdk/client-s3',
  '@huggingface/hub',
  'sqlite-vec',
  'node:sqlite',
]);

/** Folder names that say nothing about what is in them. */
const namesWithoutSubject = /^(utils?|helpers?|common|misc)(\.\w+)?$/;

interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

const sources = ['src', 'steps', 'pipelines'].flatMap(filesUnder).filter((file) => file.endsWith('.ts'));

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const statements = /^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
  const dynamic = /\bimport\('([^']+)'\)/g;
  return [
    ...[...text.matchAll(statements)].map((match) => ({ from: file, specifier: match[2]!, typeOnly: match[1] !== undefined })),
    ...[...text.matchAll(dynamic)].map((match) => ({ from: file, specifier: match[1]!, typeOnly: false })),
  ];
}

const imports = sources.flatMap(importsOf);

function target(each: Import): string | null {
  return each.specifier.startsWith('.') ? relative(root, resolve(root, dirname(each.from), each.specifier)) : null;
}

function roomOf(file: string): string {
  const [top, second] = file.split('/');
  if (top !== 'src') return top!;
  return rooms.has(second!) ? second! : 'domain';
}

function packageOf(specifier: string): string {
  if (builtinModules.includes(specifier)) return `node:${specifier}`;
  return specifier.startsWith('@') ? specifier.split('/').slice(0, 2).join('/') : specifier.split('/')[0]!;
}

function allowed(each: Import, to: string): boolean {
  const from = roomOf(each.from);
  const room = roomOf(to);
  if (each.from === 'src/cli/wire.ts' && room === 'adapters') return true;
  if (from === 'adapters' && room === 'adapters') return each.from.split('/')[2] === to.split('/')[2] || to.split('/').length === 3;
  if (from === room) return true;
  return arrows[from]!.some((arrow) => arrow === room || arrow === to || (arrow === `types:${room}` && each.typeOnly));
}

describe('the architecture', () => {
  test('covers the whole tree', () => {
    expect(sources.length).toBeGreaterThan(100);
    expect(imports.length).toBeGreaterThan(300);
  });

  test('has only the arrows that it allows', () => {
    const broken = imports.flatMap((each) => {
      const to = target(each);
      return to === null || allowed(each, to) ? [] : [`${each.from} -> ${to}`];
    });
    expect(broken).toEqual([]);
  });

  test('lets adapters be imported by the composition root alone, and lazily', () => {
    const wire = readFileSync(join(root, 'src/cli/wire.ts'), 'utf8');
    const eager = [...wire.matchAll(/^import (?!type )[^;]*'([^']*adapters[^']*)'/gm)].map((match) => match[1]);
    expect(eager).toEqual([]);
  });

  test('keeps packages in the rooms that may use them', () => {
    const broken = imports.flatMap((each) => {
      if (each.specifier.startsWith('.')) return [];
      const name = packageOf(each.specifier);
      const room = roomOf(each.from);
      const only = packagesOf[room];
      if (room === 'ports' && each.typeOnly) return [];
      // Steps read files and hash bytes with what Node brings.
      if (only && !only.includes(name) && !(room === 'steps' && name.startsWith('node:') && name !== 'node:sqlite'))
        return [`${each.from} -> ${name}`];
      if (clientLibraries.has(name) && room !== 'adapters' && room !== 'clients') return [`${each.from} -> ${name}`];
      if (name === 'execa' && room !== 'workers' && room !== 'adapters') return [`${each.from} -> ${name}`];
      return [];
    });
    expect(broken).toEqual([]);
  });

  test('has ports without code', () => {
    const withCode = sources.filter(
      (file) =>
        file.startsWith('src/ports/') && /^(?:export )?(?:const|let|function|class|enum)\b/m.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(withCode).toEqual([]);
  });

  test('has no cycle at run time', () => {
    const edges = new Map<string, string[]>();
    for (const each of imports) {
      const to = target(each);
      if (to !== null && !each.typeOnly) edges.set(each.from, [...(edges.get(each.from) ?? []), to]);
    }
    const state = new Map<string, 'open' | 'done'>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      if (state.get(file) === 'open') {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
        return;
      }
      state.set(file, 'open');
      for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of edges.keys()) visit(file, []);
    expect(cycles).toEqual([]);
  });

  test('has no barrel but the list of pipelines', () => {
    const barrels = sources.filter((file) => /(^|\/)index\.ts$/.test(file));
    expect(barrels).toEqual(['pipelines/index.ts']);
  });

  test('names every room by its subject', () => {
    const nameless = [...sources, ...filesUnder('tests'), ...filesUnder('python-workers')].filter((file) =>
      file.split('/').some((part) => namesWithoutSubject.test(part)),
    );
    expect(nameless).toEqual([]);
  });

  test('keeps files short', () => {
    const length = (file: string): number => readFileSync(join(root, file), 'utf8').split('\n').length - 1;
    const python = filesUnder('python-workers').filter((file) => file.endsWith('.py') && !file.includes('.venv'));
    const lengths = [...sources, ...python.filter((file) => !file.includes('/tests/'))].map((file) => ({ file, lines: length(file) }));
    expect(lengths.filter(({ lines }) => lines > 400)).toEqual([]);
    const sorted = lengths.map(({ lines }) => lines).toSorted((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(100);
    expect(sorted[Math.floor(sorted.length * 0.95)]).toBeLessThanOrEqual(250);
  });

  test('keeps pipelines readable as a table of contents', () => {
    const long = sources.filter((file) => file.startsWith('pipelines/') && readFileSync(join(root, file), 'utf8').split('\n').length > 60);
    expect(long).toEqual([]);
  });

  test('mirrors every step that has code of its own with a test', () => {
    // A job step is a declaration; the job that it names has its test beside it in Python.
    const hasCode = (file: string): boolean => !readFileSync(join(root, file), 'utf8').includes('defineJobStep(');
    const steps = sources.filter((file) => file.startsWith('steps/') && hasCode(file));
    expect(steps.length).toBeGreaterThan(20);
    const untested = steps.filter(
      (file) => statSync(join(root, 'tests', file.replace(/\.ts$/, '.test.ts')), { throwIfNoEntry: false }) === undefined,
    );
    expect(untested).toEqual([]);
  });
});
