import type { CommandOutcome, ModelShown } from '../../contracts/command-results.ts';
import type { ModelVersion } from '../../contracts/registry.ts';
import type { ModelVersionLine } from '../../contracts/results.ts';
import { lineage } from '../../history/lineage.ts';
import type { DocumentStore } from '../../ports/document-store.ts';
import { type Alias, listAliases } from '../../registry/aliases.ts';
import { listEvaluations } from '../../registry/evaluations.ts';
import { listModels as registered, modelReference } from '../../registry/models.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { findModel } from '../find-model.ts';
import { ancestryOf } from '../model-facts.ts';
import { openSession } from '../session.ts';

/** Aliases that are stages, the highest first. */
const stages = ['champion', 'staging', 'candidate'] as const;

/** `twin models list`: newest first. */
export async function listModels(context: CommandContext): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const journal = await session.value.wired.journal();
  const [models, aliases] = [await registered(journal), await listAliases(journal)];
  const lines = models.map((model): ModelVersionLine => {
    const own = aliasesOf(model, aliases);
    return {
      type: 'model-version',
      name: model.name,
      version: model.version,
      aliases: [...own],
      stage: stages.find((stage) => own.includes(stage)) ?? null,
      createdAt: model.createdAt,
    };
  });
  return done({ type: 'models', models: lines.toSorted((left, right) => right.createdAt.localeCompare(left.createdAt)) });
}

/** `twin models show <version>`: the version with its lineage, back to the documents that it learned from. */
export async function showModel(context: CommandContext, _options: object, name: string): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { config, wired } = session.value;
  const { metadata, artifacts } = await wired.stores();
  const version = await findModel(metadata, name);
  const aliases = await listAliases(metadata, version.name);
  const reference = modelReference(version);
  const past = await lineage({ metadata, artifacts }, version.weights);
  return done({
    type: 'model',
    version,
    aliases: aliasesOf(version, aliases),
    moves: aliases
      .flatMap(({ alias, moves }) =>
        moves.filter(({ from, to }) => from === reference || to === reference).map((move) => Object.assign({ alias }, move)),
      )
      .toSorted((left, right) => left.when.localeCompare(right.when)),
    ancestry: await ancestryOf(metadata, version),
    evaluations: (await listEvaluations(metadata, version.name)).filter(({ candidate }) => candidate === reference),
    documents: await withAddresses(await wired.ports.open('documentStore'), config.tenant, past.documents),
    steps: past.steps.map(({ address, run, at }) => ({ address, run, at })),
  });
}

function aliasesOf(model: ModelVersion, aliases: readonly Alias[]): readonly string[] {
  return aliases.filter(({ target }) => target === modelReference(model)).map(({ alias }) => alias);
}

async function withAddresses(
  store: DocumentStore,
  tenant: string,
  documents: readonly { readonly document: string; readonly revision: string }[],
): Promise<ModelShown['documents']> {
  const reads = await store.get(documents.map(({ document }) => ({ tenant, id: document })));
  const shown = documents.map(({ document, revision }, at) => ({ document, revision, address: reads[at]?.document?.address ?? null }));
  return shown.toSorted((left, right) => (left.address ?? left.document).localeCompare(right.address ?? right.document));
}
