import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Holder, RunRecord } from '../../../src/contracts/run.ts';
import { readRun } from '../../../src/history/runs.ts';
import { derivedTables, effectsTable, leasesTable } from '../../../src/history/tables.ts';
import { rebuildIndexes } from '../../../src/history/rebuild.ts';
import type { Stores } from '../../../src/engine/run-context.ts';
import { isDeadForSure } from '../../../src/workers/holder.ts';
import { type EffectNote, effectLog } from './pipeline.ts';
import { openCrashStores } from './run.ts';

/** What to look at: a folder's world and jobs, the stores of its runs, and which holders are gone. */
export interface Scene {
  readonly folder: string;
  readonly open: () => Stores;
  readonly isDead: (holder: Holder) => boolean;
}

/** The scene of runs whose stores lie in the folder too. */
export const sceneOf = (folder: string): Scene => ({ folder, open: () => openCrashStores(folder), isDead: isDeadForSure });

/** Effects that have a commit on disk, by name of the effect. */
async function committedEffects({ open }: Scene): Promise<ReadonlySet<string>> {
  const { metadata, cache } = open();
  const rows = await metadata.scan(effectsTable, '', '', 100);
  await Promise.all([metadata.close(), cache.close()]);
  return new Set(rows.filter(({ row }) => (row as { state: string }).state === 'committed').map(({ key }) => key.split(' ').at(-1)!));
}

/** How often each effect has begun so far. */
async function effectsBegun(folder: string): Promise<Readonly<Record<string, number>>> {
  const begun: Record<string, number> = {};
  for (const note of await effectNotes(folder)) if (note.phase === 'begun') begun[note.effect] = (begun[note.effect] ?? 0) + 1;
  return begun;
}

/** Runs something that may do each effect once, and not at all where its commit was there before; says where it did more. */
export async function guardEffects(scene: Scene, run: () => Promise<void>): Promise<readonly string[]> {
  const [committed, before] = [await committedEffects(scene), await effectsBegun(scene.folder)];
  await run();
  const after = await effectsBegun(scene.folder);
  return ['index', 'alias'].flatMap((effect) => {
    const times = (after[effect] ?? 0) - (before[effect] ?? 0);
    return times > (committed.has(effect) ? 0 : 1)
      ? [`${effect} was done ${times} times after ${committed.has(effect) ? 'its commit' : 'a kill'}`]
      : [];
  });
}

async function effectNotes(folder: string): Promise<readonly EffectNote[]> {
  const text = await readFile(effectLog(join(folder, 'world')), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as EffectNote);
}

/** Everything that must hold once a run has ended well after any number of kills; what does not, in words. */
export async function violations({ folder, open, isDead }: Scene): Promise<readonly string[]> {
  const stores = open();
  const found: string[] = [];
  try {
    const streams = await stores.metadata.streams('run/', '', 1000);
    const records = await Promise.all(streams.map((stream) => readRun(stores.metadata, stream.slice('run/'.length))));
    found.push(...unfinished(records), ...committedTwice(records), ...(await brokenArtifacts(records, stores)));
    const leases = await stores.metadata.scan(leasesTable, '', '', 10);
    const held = leases.filter(({ row }) => !isDead((row as unknown as { holder: Holder }).holder));
    found.push(...held.map(({ key }) => `the lease ${key} is still held`));
    found.push(...(await indexDrift(stores)));
  } finally {
    await Promise.all([stores.metadata.close(), stores.cache.close()]);
  }
  for (const effect of ['index', 'alias']) {
    const notes = (await effectNotes(folder)).filter((note) => note.effect === effect);
    const target = await readFile(join(folder, 'world', effect), 'utf8').catch(() => 'absent');
    if (target !== notes.at(-1)?.key) found.push(`the target of ${effect} holds ${target}, not ${notes.at(-1)?.key}`);
    if (notes.at(-1)?.phase !== 'done') found.push(`${effect} was begun last and not done`);
  }
  for (const job of await readdir(join(folder, 'jobs'))) {
    // A draft of an attempt stays behind where its writer was killed.
    const attempts = (await readdir(join(folder, 'jobs', job, 'attempts'))).filter((name) => !name.startsWith('.'));
    if (attempts.length !== 1) found.push(`job ${job.slice(0, 12)} had ${attempts.length} attempts though no job was killed`);
  }
  return found;
}

function unfinished(runs: readonly (readonly RunRecord[])[]): readonly string[] {
  return runs.flatMap((records) => {
    const [started] = records;
    const last = records.at(-1);
    if (started?.type !== 'run-started') return ['a run does not begin with its start'];
    if (last?.type !== 'run-finished') return [`run ${started.run} has no end`];
    const counted = Object.values(last.steps).reduce((sum, count) => sum + count, 0);
    const ended = new Set(records.flatMap((record) => (record.type === 'step-finished' ? [record.step] : [])));
    return counted === started.steps.length && ended.size === started.steps.length
      ? []
      : [`run ${started.run} ends ${ended.size} and counts ${counted} of ${started.steps.length} steps`];
  });
}

function committedTwice(runs: readonly (readonly RunRecord[])[]): readonly string[] {
  const commits = new Map<string, number>();
  for (const record of runs.flat()) {
    if (record.type !== 'step-finished' || record.outcome !== 'succeeded') continue;
    const name = `${record.step} ${record.key}`;
    commits.set(name, (commits.get(name) ?? 0) + 1);
  }
  return [...commits].filter(([, count]) => count > 1).map(([name, count]) => `${name} was committed ${count} times`);
}

async function brokenArtifacts(runs: readonly (readonly RunRecord[])[], { artifacts }: Stores): Promise<readonly string[]> {
  const found: string[] = [];
  for (const record of runs.flat()) {
    if (record.type !== 'step-finished') continue;
    for (const [name, reference] of Object.entries(record.artifacts)) {
      if (reference.kind === 'json' && reference.inline !== undefined) continue;
      if (!(await artifacts.has(reference.kind === 'folder' ? 'folder' : 'file', reference, { verify: true })))
        found.push(`the artifact ${record.step}.${name} is in the journal and not whole in the store`);
    }
  }
  return found;
}

async function indexDrift({ metadata }: Stores): Promise<readonly string[]> {
  const tables = async () => {
    const rows = await Promise.all(derivedTables.map((table) => metadata.scan(table, '', '', 1000)));
    return rows.map((table) => JSON.stringify(table.map(({ key, row }) => [key, row])));
  };
  const before = await tables();
  await rebuildIndexes(metadata);
  const after = await tables();
  return derivedTables
    .filter((_, index) => before[index] !== after[index])
    .map((table) => `the table ${table} is not what its streams say`);
}
