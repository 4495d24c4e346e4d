import type { CommandOutcome } from '../../contracts/command-results.ts';
import { DatasetCard, type DatasetVersion } from '../../contracts/dataset.ts';
import { datasetReference, listDatasets as registered } from '../../registry/datasets.ts';
import { type CommandContext, done, refused, usageProblem } from '../context.ts';
import { jsonByDigest } from '../json-artifact.ts';
import { openSession } from '../session.ts';

/** `twin datasets list`: newest first; a version that became latest again is listed once. */
export async function listDatasets(context: CommandContext): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  return done({ type: 'datasets', datasets: newestFirst(await registered(await session.value.wired.journal())) });
}

/** `twin datasets show <version>`: by `<name>@<version>`, a version, or the start of one. */
export async function showDataset(context: CommandContext, _options: object, name: string): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const stores = await session.value.wired.stores();
  const datasets = newestFirst(await registered(stores.metadata));
  const matching = datasets.filter((dataset) => dataset.version.startsWith(name) || datasetReference(dataset).startsWith(name));
  const [dataset] = matching;
  if (dataset === undefined)
    return refused([usageProblem('unknown-dataset', `There is no dataset version ${name}`, 'See: twin datasets list')]);
  if (matching.length > 1 && name !== dataset.name) {
    return refused([
      usageProblem('ambiguous-name', `${name} begins ${matching.length} dataset versions`, 'Give more of it.', {
        found: matching.slice(0, 5).map(datasetReference).join(', '),
      }),
    ]);
  }
  const card = DatasetCard.safeParse(await jsonByDigest(stores, dataset.card));
  return done({ type: 'dataset', version: dataset, card: card.success ? card.data : null });
}

function newestFirst(datasets: readonly DatasetVersion[]): readonly DatasetVersion[] {
  const distinct = new Map(datasets.map((dataset) => [datasetReference(dataset), dataset]));
  return [...distinct.values()].toSorted((left, right) => right.createdAt.localeCompare(left.createdAt));
}
