import type { CommandContext } from '../../src/cli/context.ts';
import { triggerIn } from '../../src/cli/commands/schedule-trigger.ts';
import { openSession } from '../../src/cli/session.ts';
import type { MetadataStore } from '../../src/ports/metadata-store.ts';
import { fixtureProject } from './command-line.ts';

// Triggers a schedule in the state folder of the environment, and dies right after the ledger got a record of the named type.
const [name, dieAfter] = process.argv.slice(2) as [string, string | undefined];
const closing: (() => Promise<void>)[] = [];
const context: CommandContext = {
  folder: fixtureProject,
  project: fixtureProject,
  environment: process.env,
  profile: 'embedded',
  signal: new AbortController().signal,
  line: `twin schedule trigger ${name}`,
  emit: () => undefined,
  tell: () => Promise.resolve(),
  complain: (problems) => process.stderr.write(JSON.stringify(problems)),
  progress: () => undefined,
  status: () => undefined,
  onEnd: (close) => void closing.push(close),
};
const session = await openSession(context);
if (!session.ok) throw new Error(JSON.stringify(session.error));
const store = await session.value.wired.journal();
const mortal: MetadataStore = {
  ...store,
  async append(stream, expectedSeq, records, durability) {
    const outcome = await store.append(stream, expectedSeq, records, durability);
    const types = records.map((record) => (record as { readonly type?: string }).type);
    if (outcome.ok && dieAfter !== undefined && types.includes(dieAfter)) process.kill(process.pid, 'SIGKILL');
    return outcome;
  },
};
const wired = { ...session.value.wired, journal: () => Promise.resolve(mortal), stores: session.value.wired.stores };
const outcome = await triggerIn(context, { ...session.value, wired }, {}, name);
for (const close of closing.toReversed()) await close();
process.exitCode = outcome.exit;
