import type { ScheduleRecord } from '../contracts/schedule.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { emptyLedger, foldLedger, type Ledger } from './ledger.ts';

const prefix = 'schedule/';

/** The ledger of one schedule as its stream has it: what was read stays read. */
export interface Book {
  readonly name: string;
  /** The ledger, after whatever others have written. */
  read(): Promise<Ledger>;
  /** Appends what was decided by a ledger, on disk before it returns; false where somebody else wrote first, so that it must be decided anew. */
  append(decidedBy: Ledger, records: readonly ScheduleRecord[]): Promise<boolean>;
}

/** Opens the book of a schedule, which need not be there yet. */
export function openBook(store: MetadataStore, name: string): Book {
  let ledger = emptyLedger(name);
  return {
    name,
    async read() {
      const records = await store.read(prefix + name, ledger.seq);
      if (records.length > 0)
        ledger = foldLedger(
          ledger,
          records.map(({ data }) => data as unknown as ScheduleRecord),
        );
      return ledger;
    },
    async append(decidedBy, records) {
      if (records.length === 0) return true;
      return (await store.append(prefix + name, decidedBy.seq, records, 'power')).ok;
    },
  };
}

/** The names of all schedules that ever were, sorted. */
export async function scheduleNames(store: MetadataStore): Promise<readonly string[]> {
  const names: string[] = [];
  for (;;) {
    const page = await store.streams(prefix, names.length === 0 ? '' : prefix + names.at(-1)!, 500);
    names.push(...page.map((stream) => stream.slice(prefix.length)));
    if (page.length < 500) return names;
  }
}

/** Decides and appends until nobody wrote in between; gives back the ledger that was decided by and what it came to. */
export async function amend<Decided>(
  book: Book,
  decideBy: (ledger: Ledger) => Promise<{ readonly records: readonly ScheduleRecord[]; readonly decided: Decided }>,
): Promise<{ readonly ledger: Ledger; readonly decided: Decided }> {
  for (;;) {
    const ledger = await book.read();
    const { records, decided } = await decideBy(ledger);
    if (await book.append(ledger, records)) return { ledger, decided };
  }
}
