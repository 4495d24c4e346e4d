import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import { modelCard } from '../../registry/model-card.ts';
import { modelReference } from '../../registry/models.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { findModel } from '../find-model.ts';
import { modelFacts } from '../model-facts.ts';
import { openHub, tenths } from '../open-hub.ts';
import { openSession } from '../session.ts';
import { exportForm, type FormFlags, stageExport } from '../stage-export.ts';

/** Flags of `twin models push`. */
export interface PushOptions extends FormFlags {
  readonly public?: true;
  readonly revision?: string;
}

/** `twin models push <version> <repository>`: uploads a version with its card to the hub, as one commit; private unless told otherwise. */
export async function pushModel(context: CommandContext, options: PushOptions, name: string, repository: string): Promise<CommandOutcome> {
  const form = exportForm(options);
  const session = await openSession(context);
  if (!session.ok) return refused(session.error);
  const { wired } = session.value;
  const hub = await openHub(wired, repository);
  const stores = await wired.stores();
  const model = await findModel(stores.metadata, name);
  const staged = join(await stores.artifacts.stage(), 'push');
  try {
    await stageExport(context, wired, { model, form, staged });
    await writeFile(join(staged, 'README.md'), modelCard(await modelFacts(stores, model)));
    const target = { repository, public: options.public === true, ...(options.revision && { revision: options.revision }) };
    const pushed = await hub.push(target, staged, {
      title: `${modelReference(model)} (${form.format})`,
      signal: context.signal,
      onProgress: tenths(context.progress),
    });
    return done({ type: 'model-pushed', version: modelReference(model), repository, ...pushed });
  } finally {
    await rm(dirname(staged), { recursive: true, force: true });
  }
}
