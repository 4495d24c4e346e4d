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

/** A number with thousands apart, and at most four significant digits where it is not whole. (The formatter of Intl takes 15 ms to load.) */
export function grouped(amount: number): string {
  const [whole = '', fraction] = String(Number.isInteger(amount) ? amount : Number(amount.toPrecision(4))).split('.');
  const apart = whole.replaceAll(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? apart : `${apart}.${fraction}`;
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

/** Counters as one phrase, zeros left out: a step's own first, then those of each map step that it drives; drops last and by reason. */
export function counters(counts: Readonly<Record<string, number>>): string {
  const groups = new Map<string, [name: string, amount: number][]>([['', []]]);
  for (const [name, amount] of Object.entries(counts)) {
    if (amount === 0) continue;
    // `clean: rows computed` is of the map step clean; `dropped: empty` is a drop of the step itself.
    const [, mapStep = '', own = name] = /^(?!dropped: )([a-z][a-z-]*): (.*)$/.exec(name) ?? [];
    const group = groups.get(mapStep);
    if (group) group.push([own, amount]);
    else groups.set(mapStep, [[own, amount]]);
  }
  return [...groups]
    .filter(([, told]) => told.length > 0)
    .map(([mapStep, told]) => `${mapStep === '' ? '' : `${mapStep}: `}${phrase(told)}`)
    .join('; ');
}

function phrase(told: readonly (readonly [name: string, amount: number])[]): string {
  const words = (name: string) => name.replaceAll('-', ' ');
  const plain = told.filter(([name]) => !name.startsWith('dropped: ')).map(([name, amount]) => `${grouped(amount)} ${words(name)}`);
  const dropped = told
    .filter(([name]) => name.startsWith('dropped: '))
    .map(([name, amount]) => [words(name.slice('dropped: '.length)), amount] as const);
  if (dropped.length === 0) return plain.join(', ');
  const total = dropped.reduce((sum, [, amount]) => sum + amount, 0);
  const reasons = dropped.length === 1 ? dropped[0]![0] : dropped.map(([reason, amount]) => `${reason} ${grouped(amount)}`).join(', ');
  return [...plain, `${grouped(total)} dropped (${reasons})`].join(', ');
}
