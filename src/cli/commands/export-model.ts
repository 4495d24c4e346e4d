import { chmod, cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import type { Problem } from '../../contracts/problem.ts';
import { modelCard } from '../../registry/model-card.ts';
import { modelReference } from '../../registry/models.ts';
import { type CommandContext, done, refused, usageProblem } from '../context.ts';
import { findModel } from '../find-model.ts';
import { modelFacts } from '../model-facts.ts';
import { openSession } from '../session.ts';

/** Flags of `twin models export`. */
export interface ExportOptions {
  readonly format: string;
  readonly output: string;
}

/** `twin models export <version>`: copies a version out of the registry, with its card. The folder appears whole or not at all. */
export async function exportModel(context: CommandContext, options: ExportOptions, name: string): Promise<CommandOutcome> {
  const { format } = options;
  if (format !== 'merged' && format !== 'adapter')
    return refused([
      usageProblem('invalid-flag', '--format has a wrong value', 'For example: --format merged', {
        expected: 'merged or adapter',
        found: format,
      }),
    ]);
  const output = resolve(context.folder, options.output);
  const occupied = await readdir(output).catch(() => []);
  if (occupied.length > 0) return refused([notEmpty(options.output, occupied)]);
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const stores = await session.value.wired.stores();
  const model = await findModel(stores.metadata, name);
  const digest = format === 'merged' ? model.weights : model.adapter;
  if (digest === null)
    return refused([
      usageProblem('no-adapter', `${modelReference(model)} is whole weights and has no adapter`, 'Export it with: --format merged'),
    ]);
  const source = await stores.artifacts.localPath('folder', digest).catch(() => null);
  if (source === null) return refused([gone(modelReference(model), digest)]);

  await mkdir(dirname(output), { recursive: true });
  const staged = `${output}.part`;
  await rm(staged, { recursive: true, force: true });
  await cp(source, staged, { recursive: true });
  await makeWritable(staged);
  await writeFile(join(staged, 'README.md'), modelCard(await modelFacts(stores, model)));
  await rm(output, { recursive: true, force: true });
  await rename(staged, output);
  return done({ type: 'model-exported', version: modelReference(model), format, path: output });
}

/** Stored files are read-only; a copy belongs to whoever asked for it. */
async function makeWritable(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644);
  await chmod(folder, 0o755);
}

function notEmpty(path: string, files: readonly string[]): Problem {
  return usageProblem('output-exists', `${path} is not empty`, 'Name another folder with --output', {
    expected: 'a folder that is not there yet, or is empty',
    found: files.slice(0, 3).join(', '),
  });
}

function gone(version: string, digest: string): Problem {
  return {
    reason: 'artifact-gone',
    message: `The files of ${version} are gone from the artifact store`,
    found: digest,
    hint: 'Train it anew with: twin run training-pipeline',
    exit: 1,
  };
}
