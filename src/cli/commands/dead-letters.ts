import type { CommandOutcome } from '../../contracts/command-results.ts';
import { noIndex } from '../../contracts/index-state.ts';
import { ProblemError } from '../../contracts/problem.ts';
import type { DeadLetterLine } from '../../contracts/watch.ts';
import { type DeadLetter, DeadLetters } from '../../index-sync/dead-letters.ts';
import { GenerationSync } from '../../index-sync/generation-sync.ts';
import type { DocumentKey } from '../../ports/document-store.ts';
import { type CommandContext, done, refused, usageProblem } from '../context.ts';
import { holdIndex, openIndexSync } from '../index-sync.ts';
import { openSession } from '../session.ts';

/** Which dead letters are meant. */
export interface DeadLetterFlags {
  readonly all?: true;
  readonly pipeline?: string;
}

/** `twin dlq list`: documents that could not be brought into the index, and why. */
export async function listDeadLetters(context: CommandContext): Promise<CommandOutcome> {
  const letters = await openLetters(context);
  if (letters === null) return done({ type: 'dead-letters', letters: [] });
  return done({ type: 'dead-letters', letters: (await allOf(letters)).map(lineOf) });
}

/** `twin dlq show <document>`: everything that is known of one. */
export async function showDeadLetter(context: CommandContext, _flags: object, document: string): Promise<CommandOutcome> {
  const letters = await openLetters(context);
  const found = letters === null ? [] : (await allOf(letters)).filter((letter) => letter.document === document);
  if (found.length === 0) return refused([unknown(document)]);
  return done({ type: 'dead-letter-shown', letter: lineOf(found[0]!) });
}

/** `twin dlq discard`: gives documents up as they are; the next change of one tries it again. */
export async function discardDeadLetters(context: CommandContext, flags: DeadLetterFlags, ...documents: string[]): Promise<CommandOutcome> {
  const letters = await openLetters(context);
  const chosen = await choose(letters, flags, documents);
  if (!Array.isArray(chosen)) return chosen as CommandOutcome;
  const cleared = letters === null ? 0 : await letters.clear(chosen as DocumentKey[]);
  return done({ type: 'dead-letters-changed', what: 'discarded', settled: cleared, dead: 0 });
}

/** `twin dlq retry`: tries documents again, now, or through the process that follows the changes. */
export async function retryDeadLetters(context: CommandContext, flags: DeadLetterFlags, ...documents: string[]): Promise<CommandOutcome> {
  const opened = await openIndexSync(context, flags.pipeline ?? 'feature-pipeline');
  if (!opened.ok) return refused(opened.error);
  const { options, ports, index } = opened.value;
  const generation = await ports.vectorIndex.alias(index);
  if (generation === null) return refused([noIndex(index)]);
  const letters = new DeadLetters(ports.metadataStore, generation);
  const chosen = await choose(letters, flags, documents);
  if (!Array.isArray(chosen)) return chosen as CommandOutcome;
  const asked = await letters.askRetry(chosen as DocumentKey[]);
  try {
    await holdIndex(context, opened.value, true);
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.reason !== 'locked') throw error;
    return done({ type: 'dead-letters-changed', what: 'asked', settled: asked, dead: 0 });
  }
  const sync = await GenerationSync.open({ ...options, rescan: false }, ports);
  const outcome = await sync.retryDead();
  await sync.finish();
  return done({ type: 'dead-letters-changed', what: 'retried', ...outcome }, outcome.dead > 0 ? 1 : 0);
}

async function openLetters(context: CommandContext): Promise<DeadLetters | null> {
  const session = await openSession(context);
  if (!session.ok) throw new ProblemError(session.error[0]!);
  const { wired, config } = session.value;
  const generation = await (await wired.ports.open('vectorIndex')).alias(config.index);
  return generation === null ? null : new DeadLetters(await wired.ports.open('metadataStore'), generation);
}

async function allOf(letters: DeadLetters): Promise<readonly DeadLetter[]> {
  const all: DeadLetter[] = [];
  for await (const page of letters.all()) all.push(...page);
  return all;
}

/** The keys that flags and names mean, or what is wrong with them. */
async function choose(
  letters: DeadLetters | null,
  { all }: DeadLetterFlags,
  documents: readonly string[],
): Promise<readonly DocumentKey[] | CommandOutcome> {
  const known = letters === null ? [] : (await allOf(letters)).map(({ tenant, document }) => ({ tenant, id: document }));
  if (all === true && documents.length === 0) return known;
  if (all === true || documents.length === 0)
    return refused([
      usageProblem(
        'no-dead-letter-named',
        'Which dead letters?',
        'Name documents, or all of them: --all. They are listed by: twin dlq list',
      ),
    ]);
  const missing = documents.find((document) => !known.some(({ id }) => id === document));
  return missing === undefined ? known.filter(({ id }) => documents.includes(id)) : refused([unknown(missing)]);
}

function unknown(document: string) {
  return usageProblem('unknown-dead-letter', `There is no dead letter of document ${document}`, 'They are listed by: twin dlq list');
}

function lineOf({ tenant, document, version, cause, tries, at }: DeadLetter): DeadLetterLine {
  const { reason, message, where = null, expected = null, found = null, hint = null } = cause;
  return {
    type: 'dead-letter',
    document,
    tenant,
    version,
    reason,
    message,
    where,
    expected,
    found,
    hint,
    tries,
    at: new Date(at).toISOString(),
  };
}
