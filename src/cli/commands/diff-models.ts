import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import { sha256 } from '../../contracts/digest.ts';
import type { ArtifactStore } from '../../ports/artifact-store.ts';
import { listEvaluations } from '../../registry/evaluations.ts';
import { comparedOn, modelChanges, rowChange } from '../../registry/model-difference.ts';
import { modelReference } from '../../registry/models.ts';
import { weightDifference } from '../../registry/weight-difference.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { findModel } from '../find-model.ts';
import { openSession } from '../session.ts';

/** `twin models diff <before> <after>`: what two versions are, learned and scored, and how far each layer's weights moved. */
export async function diffModels(context: CommandContext, _options: object, left: string, right: string): Promise<CommandOutcome> {
  const session = await openSession(context, { writes: 'nothing' });
  if (!session.ok) return refused(session.error);
  const { metadata, artifacts } = await session.value.wired.stores();
  const [before, after] = [await findModel(metadata, left), await findModel(metadata, right)];
  const own = async (model: typeof before) =>
    (await listEvaluations(metadata, model.name)).filter(({ candidate }) => candidate === modelReference(model));
  const folders = await Promise.all([before, after].map(({ weights }) => artifacts.localPath('folder', weights).catch(() => null)));
  const [first, second] = folders;
  const [rowsBefore, rowsAfter] = [await rowDigests(artifacts, before.data), await rowDigests(artifacts, after.data)];
  return done({
    type: 'models-diff',
    before: modelReference(before),
    after: modelReference(after),
    changes: modelChanges(before, after),
    rows: rowsBefore && rowsAfter ? rowChange(rowsBefore, rowsAfter) : null,
    bitsPerByte: comparedOn(await own(before), await own(after)),
    weights: first && second ? await weightDifference(first, second) : null,
  });
}

/** The digests of the rows of an artifact, null where it is gone or unknown. */
async function rowDigests(artifacts: ArtifactStore, digest: string | null): Promise<ReadonlySet<string> | null> {
  const path = digest === null ? null : await artifacts.localPath('file', digest).catch(() => null);
  if (path === null) return null;
  const digests = new Set<string>();
  try {
    for await (const line of createInterface({ input: createReadStream(path) })) digests.add(sha256(line));
  } catch {
    return null;
  }
  return digests;
}
