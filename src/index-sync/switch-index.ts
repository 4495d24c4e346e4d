import { noIndex } from '../contracts/index-state.ts';
import { ProblemError } from '../contracts/problem.ts';
import { type GenerationRecord, listGenerations, readGeneration, writeGeneration } from './generations.ts';
import { dropGeneration, type GenerationPorts, takeOver } from './take-over.ts';

/** What a person may do about generations, and from where to where the index went. */
export interface Switched {
  readonly from: string;
  readonly to: string;
}

const keepMs = 7 * 24 * 3600 * 1000;

/** Gives an index back to the generation that the serving one took it from; the one that is left may not take it again by itself. Calling it again goes no further back. */
export async function rollBackIndex(index: string, ports: GenerationPorts): Promise<Switched> {
  const { metadataStore, vectorIndex } = ports;
  const current = await vectorIndex.alias(index);
  if (current === null) throw new ProblemError(noIndex(index));
  const records = await listGenerations(metadataStore, index);
  const left = records.find(({ state, replaced }) => state === 'rolled-back' && replaced === current);
  const from = left ?? records.find(({ generation }) => generation === current);
  const to = records.find(({ generation }) => generation === from?.replaced);
  if (!from || !to) {
    throw new ProblemError({
      reason: 'nothing-before',
      message: `The index ${index} has nothing to go back to`,
      where: index,
      expected: 'a generation that the one in use took over from, kept for as long as sync-index.keepDays says',
      found: from?.replaced ? `${from.replaced}, which was dropped` : `${current}, which was the first`,
      hint: 'See what there is: twin index list',
      exit: 1,
    });
  }
  // Noted first: what dies after it is finished by the next call, and no run takes the index back in between.
  if (!left) await writeGeneration(metadataStore, { ...from, state: 'rolled-back', since: await metadataStore.now() });
  await takeOver({ ...to, keepMs }, ports);
  return { from: from.generation, to: to.generation };
}

/** Gives an index to a generation that a person names: one that has passed the gate before. */
export async function switchIndex(index: string, generation: string, ports: GenerationPorts): Promise<Switched> {
  const record = await known(index, generation, ports);
  const from = await ports.vectorIndex.alias(index);
  if (record.state === 'building' || record.state === 'refused') {
    throw new ProblemError({
      reason: 'not-passed',
      message: `${generation} has not passed the gate`,
      where: generation,
      expected: 'a generation that has served before',
      found: record.verdict ? record.verdict.reasons.join('; ') : 'one that is still being built',
      hint: 'Finish it with its configuration: twin run feature-pipeline --force sync-index',
      exit: 3,
    });
  }
  await takeOver({ ...record, keepMs }, ports);
  return { from: from ?? generation, to: generation };
}

/** Removes a generation that the index does not name. */
export async function dropByHand(index: string, generation: string, ports: GenerationPorts): Promise<void> {
  const record = await known(index, generation, ports);
  if ((await ports.vectorIndex.alias(index)) === generation) {
    throw new ProblemError({
      reason: 'index-in-use',
      message: `${generation} is what readers of ${index} find`,
      where: generation,
      hint: 'Give the index to another generation first: twin index rollback, or twin index switch <generation>',
      exit: 1,
    });
  }
  await dropGeneration(record, ports);
}

async function known(index: string, generation: string, { metadataStore }: GenerationPorts): Promise<GenerationRecord> {
  const record = await readGeneration(metadataStore, index, generation);
  if (record !== null) return record;
  const names = (await listGenerations(metadataStore, index)).map((one) => one.generation);
  throw new ProblemError({
    reason: 'unknown-generation',
    message: `The index ${index} has no generation ${generation}`,
    expected: names.length > 0 ? names.join(', ') : 'a generation that a feature pipeline has made',
    found: generation,
    hint: 'See them all: twin index list',
    exit: 2,
  });
}
