import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import { modelReference } from '../../registry/models.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { openHub, tenths } from '../open-hub.ts';
import { openSession } from '../session.ts';
import { takeInModel } from '../take-in-model.ts';

/** Flags of `twin models pull`. */
export interface PullOptions {
  readonly name?: string;
  readonly revision?: string;
  readonly licence?: string;
}

/** `twin models pull <repository>`: downloads a model from the hub and registers it; a download that was cut goes on where it was. */
export async function pullModel(context: CommandContext, options: PullOptions, repository: string): Promise<CommandOutcome> {
  const session = await openSession(context);
  if (!session.ok) return refused(session.error);
  const { wired } = session.value;
  const hub = await openHub(wired, repository);
  const folder = join(wired.state.root, 'pulls', repository.replace('/', '--'), options.revision ?? 'main');
  await mkdir(folder, { recursive: true });
  const source = { repository, ...(options.revision && { revision: options.revision }) };
  const { commit } = await hub.pull(source, folder, { signal: context.signal, onProgress: tenths(context.progress) });
  const model = await takeInModel(context, wired, {
    folder,
    name: options.name ?? repository.split('/')[1]!,
    source: `${repository}@${commit}`,
    licence: options.licence,
    again: `twin models pull ${repository}`,
  });
  await rm(folder, { recursive: true, force: true });
  return done({ type: 'model-registered', version: modelReference(model), weights: model.weights });
}
