import type { CommandOutcome } from '../../contracts/command-results.ts';
import type { Problem } from '../../contracts/problem.ts';
import { collectStores } from '../../engine/collect-garbage.ts';
import { currentHolder, isDeadForSure } from '../../workers/holder.ts';
import { type CommandContext, done, refused, wholeNumber } from '../context.ts';
import { collectFiles } from '../file-garbage.ts';
import { openSession } from '../session.ts';

/** Options of `twin gc`, as the command line gives them. */
export interface GarbageFlags {
  readonly dryRun?: true;
  readonly keepRuns?: string;
  readonly olderThan?: string;
}

/** What is kept where nothing else is said: both hold, and either keeps a run. */
const defaults = { keepRuns: 10, keepMs: 30 * 86_400_000 } as const;
const units: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** `twin gc`: frees what no kept run, no model, no dataset, no alias and nothing that runs needs any more. */
export async function collectGarbage(context: CommandContext, flags: GarbageFlags): Promise<CommandOutcome> {
  const { dryRun = false } = flags;
  const keepRuns = flags.keepRuns === undefined ? null : wholeNumber('--keep-runs', flags.keepRuns);
  const keepMs = flags.olderThan === undefined ? null : age(flags.olderThan);
  const problems = [keepRuns, keepMs].filter((value) => typeof value === 'object' && value !== null);
  if (problems.length > 0) return refused(problems);
  const session = await openSession(context, { writes: dryRun ? 'nothing' : 'everything' });
  if (!session.ok) return refused(session.error);
  const { wired } = session.value;
  const stores = await wired.stores();
  const retention =
    keepRuns === null && keepMs === null ? defaults : { keepRuns: keepRuns as number | null, keepMs: keepMs as number | null };
  const leases = { store: stores.metadata, holder: currentHolder(context.line), isDead: isDeadForSure };
  const swept = await collectStores({ stores, leases, retention, dryRun, signal: context.signal });
  const { marks, ...told } = swept;
  const changedBefore = Math.min(Date.now() - (retention.keepMs ?? 3_600_000), ...swept.live.map(({ since }) => since));
  const files = await collectFiles(wired.state, {
    expired: new Set(marks.expired.map(({ run }) => run)),
    keys: marks.results,
    changedBefore,
    dryRun,
  });
  const freed = [...told.freed, ...files.freed];
  const bytes = freed.reduce((sum, one) => sum + one.bytes, 0);
  return done({ type: 'gc', dryRun, freed, bytes, kept: told.kept, deferred: told.deferred, foreign: files.foreign });
}

function age(text: string): number | Problem {
  const match = /^(\d+)([mhdw])$/.exec(text);
  if (match !== null) return Number(match[1]) * units[match[2]!]!;
  return {
    reason: 'invalid-flag',
    message: '--older-than has a wrong value',
    expected: 'a number and one of m, h, d, w',
    found: text,
    hint: 'For example: --older-than 30d',
    exit: 2,
  };
}
