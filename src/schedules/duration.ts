import type { Problem } from '../contracts/problem.ts';

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A length of time out of `90s`, `15m`, `6h` or `7d`, in milliseconds; a problem of the flag where it is none. */
export function readDuration(flag: string, text: string): number | Problem {
  const [, amount, unit] = /^(\d+)(s|m|h|d)$/.exec(text.trim()) ?? [];
  const value = amount === undefined ? Number.NaN : Number(amount) * unitMs[unit as keyof typeof unitMs];
  if (Number.isSafeInteger(value)) return value;
  return {
    reason: 'invalid-flag',
    message: `${flag} has a wrong value`,
    expected: 'a length of time: 90s, 15m, 6h, 7d',
    found: text,
    hint: `For example: ${flag} 6h`,
    exit: 2,
  };
}

/** A length of time as it is written on the command line. */
export function writeDuration(milliseconds: number): string {
  for (const unit of ['d', 'h', 'm'] as const)
    if (milliseconds > 0 && milliseconds % unitMs[unit] === 0) return `${milliseconds / unitMs[unit]}${unit}`;
  return `${Math.round(milliseconds / 1000)}s`;
}
