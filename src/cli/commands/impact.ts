import type { CommandOutcome } from '../../contracts/command-results.ts';
import { artifactsOf } from '../../history/document-artifacts.ts';
import { listAliases } from '../../registry/aliases.ts';
import { datasetReference, listDatasets } from '../../registry/datasets.ts';
import { listModels, modelReference } from '../../registry/models.ts';
import { trainedOn } from '../../registry/trained-on.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { findDocument } from '../find-document.ts';
import { openSession } from '../session.ts';

/** `twin impact <document>`: everything that was made from a document: artifacts, dataset versions, models and the aliases that name them. */
export async function impact(context: CommandContext, _options: object, name: string): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'caches' });
  if (!session.ok) return refused(session.error);
  const { config, wired } = session.value;
  const document = await findDocument(await wired.ports.open('documentStore'), config.tenant, name);
  const stores = await wired.stores();
  const artifacts = await artifactsOf(stores, document.id);
  const digests = new Set(artifacts.map(({ digest }) => digest));
  const aliases = await listAliases(stores.metadata);
  const datasets = (await listDatasets(stores.metadata)).flatMap((dataset) => {
    const splits = Object.entries(dataset.splits).filter(([, split]) => digests.has(split.artifact));
    return splits.length === 0 ? [] : [{ dataset: datasetReference(dataset), splits: splits.map(([split]) => split) }];
  });
  const models = trainedOn(await listModels(stores.metadata), digests).map(({ model, through }) => ({
    model: modelReference(model),
    through,
    aliases: aliases.filter(({ target }) => target === modelReference(model)).map(({ alias }) => alias),
  }));
  return done({
    type: 'impact',
    document: document.id,
    address: document.address,
    artifacts,
    datasets: [...new Map(datasets.map((each) => [each.dataset, each])).values()],
    models,
  });
}
