import { access, cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promptTemplate, promptTemplateDigest } from '../contracts/prompt-template.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { ModelVersion } from '../contracts/registry.ts';
import { inspectFolder } from '../registry/import-folder.ts';
import { registerModel } from '../registry/models.ts';
import type { CommandContext } from './context.ts';
import type { Wired } from './wire.ts';

/** A model folder from elsewhere, and what is said of it. */
export interface GivenModel {
  readonly folder: string;
  /** Its name in the registry. */
  readonly name: string;
  /** Where it came from, as the registry keeps it. */
  readonly source: string;
  /** What the user says; otherwise the folder's own card counts. */
  readonly licence: string | undefined;
  /** How to say the licence: the command to repeat. */
  readonly again: string;
}

/** What belongs to the place where a model was, and not to the model. */
const leftOut = ['README.md', '.gitattributes'];

/** Takes a model folder into the registry, whole and unpickled; the folder itself stays as it is. */
export async function takeInModel(context: CommandContext, wired: Wired, given: GivenModel): Promise<ModelVersion> {
  const { folder, name, source } = given;
  const { licence: named } = await inspectFolder(folder);
  const licence = given.licence ?? named;
  if (licence === null) throw licenceMissing(given);
  const { metadata, artifacts } = await wired.stores();
  const staged = join(await artifacts.stage(), 'model');
  await cp(folder, staged, { recursive: true });
  for (const file of leftOut) await rm(join(staged, file), { force: true });
  const card = join(staged, 'twin.json');
  const says = { kind: 'base', toy: false, promptTemplate: { text: promptTemplate, digest: promptTemplateDigest }, base: null };
  await access(card).catch(() => writeFile(card, `${JSON.stringify(says, null, 2)}\n`));
  const { digest } = await artifacts.putFolder(staged);
  return registerModel(
    metadata,
    {
      name,
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
      origin: { source, licence },
    },
    context.line,
  );
}

function licenceMissing({ source, again }: GivenModel): ProblemError {
  return new ProblemError({
    reason: 'licence-missing',
    message: `${source} does not say which licence it stands under`,
    expected: '--licence, or license: in its README.md',
    hint: `${again} --licence apache-2.0`,
    exit: 2,
  });
}
