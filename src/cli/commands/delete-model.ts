import type { CommandOutcome } from '../../contracts/command-results.ts';
import { recordDeletion } from '../../registry/deletions.ts';
import { modelReference } from '../../registry/models.ts';
import { referencesTo } from '../../registry/references.ts';
import { type CommandContext, done, refused } from '../context.ts';
import { findModel } from '../find-model.ts';
import { openSession } from '../session.ts';
import { who } from '../who.ts';

/** `twin models delete <version>`: takes a version out of the registry, unless something refers to it; `twin gc` frees its files. */
export async function deleteModel(context: CommandContext, options: { readonly reason?: string }, name: string): Promise<CommandOutcome> {
  const session = await openSession(context);
  if (!session.ok) return refused(session.error);
  const store = await session.value.wired.journal();
  const version = await findModel(store, name);
  const references = await referencesTo(store, version);
  if (references.length > 0) {
    return refused([
      {
        reason: 'still-referenced',
        message: `${modelReference(version)} cannot be deleted: something refers to it`,
        expected: 'no alias, no roll-back and no other version that needs it',
        found: references.join(', '),
        hint: 'Move the alias to another version, or delete the versions that stand on it first',
        exit: 1,
      },
    ]);
  }
  const reason = options.reason?.trim() || 'deleted by hand';
  await recordDeletion(store, version.name, { version: version.version, deleted: true, who: who(), reason });
  return done({ type: 'model-deleted', version: modelReference(version) });
}
