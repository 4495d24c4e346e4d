/** A length of time as a person says it: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 05 min`, `3 d 4 h`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 9_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** A number and the noun that it counts: `1 step`, `12 steps`, `1,204 documents`. */
export function counted(amount: number, singular: string, plural = `${singular}s`): string {
  return `${grouped(amount)} ${amount === 1 ? singular : plural}`;
}

/** A number with thousands apart, and at most four significant digits behind the point. */
export function grouped(amount: number): string {
  return amount.toLocaleString('en-US', Number.isInteger(amount) ? {} : { maximumSignificantDigits: 4 });
}

/** Bytes in the largest unit that leaves a number above one: `812 B`, `4.2 MB`. Units are powers of 1000. */
export function bytes(amount: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = amount < 1 ? 0 : Math.min(Math.floor(Math.log10(amount) / 3), units.length - 1);
  const value = amount / 1000 ** power;
  return `${power === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

/** A moment in the reader's own time zone: `2026-03-01 04:05`. */
export function moment(at: number): string {
  const date = new Date(at);
  const two = (part: number) => String(part).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Named counters as one phrase, drops last and by reason: `900 documents, 3 dropped (too-short)`. Zeros say nothing. */
export function counters(counts: Readonly<Record<string, number>>): string {
  const told = Object.entries(counts).filter(([, amount]) => amount !== 0);
  const plain = told.filter(([name]) => !name.startsWith('dropped: ')).map(([name, amount]) => `${grouped(amount)} ${name}`);
  const dropped = told.filter(([name]) => name.startsWith('dropped: '));
  if (dropped.length === 0) return plain.join(', ');
  const total = dropped.reduce((sum, [, amount]) => sum + amount, 0);
  const reasons =
    dropped.length === 1
      ? dropped[0]![0].slice('dropped: '.length)
      : dropped.map(([name, amount]) => `${name.slice('dropped: '.length)} ${grouped(amount)}`).join(', ');
  return [...plain, `${grouped(total)} dropped (${reasons})`].join(', ');
}
