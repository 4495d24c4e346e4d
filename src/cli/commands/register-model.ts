import { basename, resolve } from 'node:path';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import { modelReference } from '../../registry/models.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { openSession } from '../session.ts';
import { takeInModel } from '../take-in-model.ts';

/** Flags of `twin models register`. */
export interface RegisterOptions {
  readonly name: string;
  readonly licence?: string;
}

/** `twin models register <folder>`: takes a model that was made elsewhere into the registry. */
export async function registerModel(context: CommandContext, options: RegisterOptions, path: string): Promise<CommandOutcome> {
  const session = await openSession(context);
  if (!session.ok) return refused(session.error);
  const folder = resolve(context.folder, path);
  const { name, licence } = options;
  const again = `twin models register ${path} --name ${name}`;
  const model = await takeInModel(context, session.value.wired, { folder, name, source: basename(folder), licence, again });
  return done({ type: 'model-registered', version: modelReference(model), weights: model.weights });
}
