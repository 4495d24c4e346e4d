import { createHash, randomBytes } from 'node:crypto';
import type { Version } from '../ports/document-store.ts';
import type { Ledger, LedgerEntry } from './ledger.ts';

/** How many documents and points an index holds, and a hash of exactly which points. */
export interface Totals {
  readonly documents: number;
  readonly points: number;
  /** The sum modulo 2^256 of sha256(`<id> <payload hash>`) over all points, in hexadecimal: the same in any order, and cheap to keep. */
  readonly setHash: string;
}

/** Totals that follow the ledger entry by entry. */
export class RunningTotals {
  /** Names this process in the ledger entries that it writes. */
  readonly writer = randomBytes(6).toString('hex');
  readonly #countedBy: string | null;
  #documents: number;
  #points: number;
  #sum: bigint;
  #doubtful = false;

  /** `countedBy` is the process that kept the totals that these begin with. */
  constructor(from: Totals = { documents: 0, points: 0, setHash: '0' }, countedBy: string | null = null) {
    this.#countedBy = countedBy;
    this.#documents = from.documents;
    this.#points = from.points;
    this.#sum = BigInt(`0x${from.setHash}`);
  }

  /** Another writer was there: what it wrote is not in here. */
  get doubtful(): boolean {
    return this.#doubtful;
  }

  doubt(): void {
    this.#doubtful = true;
  }

  /**
   * Doubts where another process has applied a change already, behind the back of whoever kept the totals: a follower that slept, or was killed
   * after others had taken over. Each such change comes by again, as the cursor stands before it.
   */
  meet(entry: LedgerEntry | null, changed: Version): void {
    if (entry === null || changed === 0 || entry.version < changed) return;
    if (entry.writer !== this.writer && (entry.writer === undefined || entry.writer !== this.#countedBy)) this.#doubtful = true;
  }

  add(entry: LedgerEntry | null): void {
    this.#count(entry, 1);
  }

  subtract(entry: LedgerEntry | null): void {
    this.#count(entry, -1);
  }

  get totals(): Totals {
    return { documents: this.#documents, points: this.#points, setHash: this.#sum.toString(16).padStart(64, '0') };
  }

  #count(entry: LedgerEntry | null, sign: 1 | -1): void {
    if (entry?.state !== 'applied') return;
    this.#documents += sign;
    this.#points += sign * entry.points.length;
    for (const [id, payloadHash] of entry.points) {
      const hash = BigInt(`0x${createHash('sha256').update(`${id} ${payloadHash}`).digest('hex')}`);
      this.#sum = BigInt.asUintN(256, sign === 1 ? this.#sum + hash : this.#sum - hash);
    }
  }
}

/** Totals counted anew from the whole ledger. */
export async function countLedger(ledger: Ledger): Promise<Totals> {
  const running = new RunningTotals();
  for await (const entries of ledger.entries()) for (const entry of entries) running.add(entry);
  return running.totals;
}
