import { access, cp, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import { promptTemplate, promptTemplateDigest } from '../../contracts/prompt-template.ts';
import { inspectFolder } from '../../registry/import-folder.ts';
import { modelReference, registerModel as register } from '../../registry/models.ts';
import { type CommandContext, done, refused, usageProblem } from '../context.ts';
import { openSession } from '../session.ts';

/** Flags of `twin models register`. */
export interface RegisterOptions {
  readonly name: string;
  readonly licence?: string;
}

/** `twin models register <folder>`: takes a model that was made elsewhere into the registry, whole and unpickled. */
export async function registerModel(context: CommandContext, options: RegisterOptions, path: string): Promise<CommandOutcome> {
  const folder = resolve(context.folder, path);
  const { licence: named } = await inspectFolder(folder);
  const licence = options.licence ?? named;
  if (licence === null) {
    const hint = `twin models register ${path} --licence apache-2.0`;
    return refused([
      usageProblem('licence-missing', `${path} does not say which licence it stands under`, hint, {
        expected: '--licence, or license: in its README.md',
      }),
    ]);
  }
  const session = await openSession(context);
  if (!session.ok) return refused(session.error);
  const { metadata, artifacts } = await session.value.wired.stores();
  const staged = join(await artifacts.stage(), 'model');
  await cp(folder, staged, { recursive: true });
  const card = join(staged, 'twin.json');
  const says = { kind: 'base', toy: false, promptTemplate: { text: promptTemplate, digest: promptTemplateDigest }, base: null };
  await access(card).catch(() => writeFile(card, `${JSON.stringify(says, null, 2)}\n`));
  const { digest } = await artifacts.putFolder(staged);
  const model = await register(
    metadata,
    {
      name: options.name,
      method: 'imported',
      toy: false,
      weights: digest,
      adapter: null,
      base: null,
      parent: null,
      dataset: null,
      data: null,
      promptTemplate: promptTemplateDigest,
      params: {},
      seed: 0,
      libraries: {},
      mergeDifference: null,
      origin: { source: basename(folder), licence },
    },
    context.line,
  );
  return done({ type: 'model-registered', version: modelReference(model), weights: digest });
}
