import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import type { Problem } from '../../contracts/problem.ts';
import { modelCard } from '../../registry/model-card.ts';
import { modelReference } from '../../registry/models.ts';
import { type CommandContext, done, refused, usageProblem } from '../context.ts';
import { findModel } from '../find-model.ts';
import { modelFacts } from '../model-facts.ts';
import { openSession } from '../session.ts';
import { exportForm, type FormFlags, stageExport } from '../stage-export.ts';

/** Flags of `twin models export`. */
export interface ExportOptions extends FormFlags {
  readonly output: string;
}

/** `twin models export <version>`: copies a version out of the registry, with its card. The folder appears whole or not at all. */
export async function exportModel(context: CommandContext, options: ExportOptions, name: string): Promise<CommandOutcome> {
  const form = exportForm(options);
  const output = resolve(context.folder, options.output);
  const occupied = await readdir(output).catch(() => []);
  if (occupied.length > 0) return refused([notEmpty(options.output, occupied)]);
  const session = await openSession(context);
  if (!session.ok) return refused(session.error);
  const { wired } = session.value;
  const stores = await wired.stores();
  const model = await findModel(stores.metadata, name);

  await mkdir(dirname(output), { recursive: true });
  const staged = `${output}.part`;
  await rm(staged, { recursive: true, force: true });
  const loss = await stageExport(context, wired, { model, form, staged });
  await writeFile(join(staged, 'README.md'), modelCard(await modelFacts(stores, model)));
  await rm(output, { recursive: true, force: true });
  await rename(staged, output);
  return done({ type: 'model-exported', version: modelReference(model), format: form.format, path: output, loss });
}

function notEmpty(path: string, files: readonly string[]): Problem {
  return usageProblem('output-exists', `${path} is not empty`, 'Name another folder with --output', {
    expected: 'a folder that is not there yet, or is empty',
    found: files.slice(0, 3).join(', '),
  });
}
