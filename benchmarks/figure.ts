import { spawnSync } from 'node:child_process';

/** One measured figure, beside a peer or floor where one is named. */
export interface Figure {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly peer: string | null;
  readonly peerValue: number | null;
  /** value / peerValue. */
  readonly ratio: number | null;
  /** The target in words, with its number. */
  readonly target: string;
  readonly holds: boolean;
}

/** A figure that shall not exceed `limit`. */
export function atMost(figure: string, value: number, unit: string, limit: number): Figure {
  return { figure, value, unit, peer: null, peerValue: null, ratio: null, target: `<= ${limit} ${unit}`, holds: value <= limit };
}

/** A figure whose ratio to a peer's shall not exceed `limit`. */
export function atMostTimes(figure: string, value: number, unit: string, peer: string, peerValue: number, limit: number): Figure {
  const ratio = value / peerValue;
  return { figure, value, unit, peer, peerValue, ratio, target: `<= ${limit} x ${peer}`, holds: ratio <= limit };
}

/** A number as a table shows it. */
export function readable(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toPrecision(3);
}

/** The middle value; of an even number of values, the lower of the two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;
}

/** A command to be timed whole. */
export interface TimedCommand {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs commands in interleaved rounds after one warm-up each; the median wall time of each in milliseconds, by name. */
export function timeCommands(commands: readonly TimedCommand[], rounds: number): Map<string, number> {
  const times = new Map(commands.map(({ name }) => [name, [] as number[]]));
  for (let round = -1; round < rounds; round += 1) {
    for (const { name, command, env } of commands) {
      const start = performance.now();
      const { status, stderr } = spawnSync(command[0], command.slice(1), {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, ...env },
      });
      const elapsed = performance.now() - start;
      if (status !== 0) throw new Error(`${name} exited with ${status}: ${String(stderr)}`);
      if (round >= 0) times.get(name)!.push(elapsed);
    }
  }
  return new Map([...times].map(([name, values]) => [name, median(values)]));
}
