import type { CommandOutcome } from '../../contracts/command-results.ts';
import { lineage } from '../../history/lineage.ts';
import { modelReference } from '../../registry/models.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { findModel } from '../find-model.ts';
import { openSession } from '../session.ts';

/** `twin trace <model>`: every step that led to a model, nearest first, with what each depended on, back to the documents. */
export async function trace(context: CommandContext, _options: object, name: string): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { config, wired } = session.value;
  const { metadata, artifacts } = await wired.stores();
  const model = await findModel(metadata, name);
  const past = await lineage({ metadata, artifacts }, model.weights);
  const store = await wired.ports.open('documentStore');
  const reads = await store.get(past.documents.map(({ document }) => ({ tenant: config.tenant, id: document })));
  return done({
    type: 'trace',
    model: modelReference(model),
    weights: model.weights,
    steps: past.steps,
    documents: past.documents.map(({ document, revision }, at) => ({ document, revision, address: reads[at]?.document?.address ?? null })),
  });
}
