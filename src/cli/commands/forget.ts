import type { CommandOutcome } from '../../contracts/command-results.ts';
import type { StoredDocument } from '../../contracts/document.ts';
import type { Problem } from '../../contracts/problem.ts';
import { ProblemError } from '../../contracts/problem.ts';
import { erasureOf, notePending, pendingErasure, type Selector } from '../../erasure/erasure.ts';
import { areForgotten, rememberForgotten } from '../../erasure/forgotten.ts';
import type { DocumentStore } from '../../ports/document-store.ts';
import { type CommandContext, done, refused, usageProblem } from '../context.ts';
import { eraseEverywhere, refuseWhileRunning, toErase } from '../erase-everywhere.ts';
import { findDocument } from '../find-document.ts';
import { openSession, type Session } from '../session.ts';

/** Flags of `twin forget`. */
export interface ForgetFlags {
  readonly document?: string;
  readonly author?: string;
  readonly tenant?: string;
  readonly yes?: true;
  /** False for --no-wait. */
  readonly wait?: boolean;
}

const nothing = { documents: 0, points: 0, artifacts: 0, cachedRows: 0, embeddings: 0, logLines: 0, files: 0 };

/** `twin forget`: erases a document, or all of an author, from the store and everything that was made of it, and searches for what is left. */
export async function forget(context: CommandContext, flags: ForgetFlags): Promise<CommandOutcome> {
  if ((flags.document === undefined) === (flags.author === undefined)) {
    return refused([usageProblem('missing-flag', 'Say what to forget, one thing', 'twin forget --document <address>, or --author <name>')]);
  }
  const selector: Selector = flags.document === undefined ? { author: flags.author! } : { document: flags.document };
  const session = await openSession(context, { writes: flags.yes ? 'everything' : 'caches' });
  if (!session.ok) return refused(session.error);
  const { config, wired } = session.value;
  const tenant = flags.tenant ?? config.tenant;
  const journal = await wired.journal();
  const pending = await pendingErasure(journal, tenant, selector);
  const documents = await chosen(await wired.ports.open('documentStore'), tenant, selector);
  if (documents.length === 0 && pending === null) return await notThere(session.value, tenant, selector);

  const found = await toErase(session.value, documents);
  const erasure = erasureOf(tenant, documents, found, pending, 'author' in selector);
  const result = {
    type: 'forgotten' as const,
    tenant,
    documents: erasure.keys.length,
    datasets: [...erasure.datasets],
    models: [...erasure.models],
  };
  if (!flags.yes) {
    const erased = { ...nothing, documents: documents.length, points: found.points, artifacts: found.artifacts };
    await context.tell({ ...result, done: false, erased, searched: 0, remains: [] });
    return refused([unconfirmed]);
  }
  await refuseWhileRunning(context, session.value, flags.wait === false);
  await notePending(journal, tenant, selector, erasure);
  // Known to be forgotten before it goes, so that nothing brings it back in between.
  const names = 'document' in selector ? [{ tenant, id: selector.document }] : [];
  await rememberForgotten(journal, [...erasure.keys, ...names], 'author' in selector ? { tenant, name: selector.author } : null);
  const outcome = await eraseEverywhere(context, session.value, erasure, () => notePending(journal, tenant, selector, null));
  const isLeft = outcome.remains.some(({ traces }) => traces.some((trace) => trace !== 'id'));
  return done({ ...result, done: true, ...outcome }, isLeft ? 1 : 0);
}

const unconfirmed: Problem = {
  reason: 'not-confirmed',
  message: 'Nothing was erased: it cannot be undone',
  hint: 'Erase it with: --yes',
  exit: 4,
};

async function chosen(store: DocumentStore, tenant: string, selector: Selector): Promise<readonly StoredDocument[]> {
  if ('document' in selector) {
    try {
      return [await findDocument(store, tenant, selector.document)];
    } catch (error) {
      if (error instanceof ProblemError && error.problem.reason === 'unknown-document') return [];
      throw error;
    }
  }
  const found: StoredDocument[] = [];
  for (let after: { readonly tenant: string; readonly id: string } | undefined; ;) {
    const page = await store.scan({ tenant, limit: 500, ...(after && { after }) });
    found.push(...page.filter(({ authorId, authorName }) => authorId === selector.author || authorName === selector.author));
    const last = page.at(-1);
    if (page.length < 500 || last === undefined) return found;
    after = { tenant, id: last.id };
  }
}

/** What is not in the store was forgotten already, or never there. */
async function notThere({ wired }: Session, tenant: string, selector: Selector): Promise<CommandOutcome> {
  const asked =
    'document' in selector
      ? { tenant, id: selector.document, authorId: null, authorName: null }
      : { tenant, id: '', authorId: selector.author, authorName: null };
  const [already] = await areForgotten(await wired.journal(), [asked]);
  if (already) {
    const result = {
      type: 'forgotten' as const,
      tenant,
      done: true,
      documents: 0,
      erased: nothing,
      searched: 0,
      remains: [],
      datasets: [],
      models: [],
    };
    return done(result);
  }
  const what = 'document' in selector ? `document ${selector.document}` : `document of the author ${selector.author}`;
  return refused([
    usageProblem('unknown-document', `The tenant ${tenant} has no ${what}`, 'See what there is to forget with: twin impact <document>'),
  ]);
}
