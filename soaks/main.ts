import { mkdtemp, rm } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { progressLines } from './progress.ts';
import type { Soak } from './soak.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seeds: { type: 'string' }, minutes: { type: 'string' }, seed: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && !['main.ts', 'soak.ts', 'progress.ts'].includes(file))
  .map((file) => file.slice(0, -3));
const [name] = positionals;
if (values.help) {
  console.log(`npm run soak -- NAME [--seeds N] [--minutes N] [--seed S]

Injects faults at random, one seed after the other, until one violates an invariant.
NAME is one of: ${known.join(', ')}

  --seeds N     how many seeds (10, or as many as the minutes allow)
  --minutes N   begins no further fault after so long
  --seed S      this seed alone: it does again what it did before

Exit codes: 0 every invariant held, 1 one was violated (what it left is kept), 2 usage.

  npm run soak -- engine --seeds 10
  npm run soak -- cdc --minutes 20`);
  process.exit(0);
}
if (name === undefined || !known.includes(name)) {
  console.error(`Which soak? One of: ${known.join(', ')}\nFor example: npm run soak -- ${known[0]} --seeds 10`);
  process.exit(2);
}
const { soak } = (await import(`./${name}.ts`)) as { soak: Soak };

const number = (flag: 'seeds' | 'minutes' | 'seed'): number | undefined => {
  const text = values[flag];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  console.error(`--${flag} must be a number greater than 0, not ${text}`);
  process.exit(2);
};
const minutes = number('minutes');
const only = number('seed');
const seeds = only === undefined ? (number('seeds') ?? (minutes === undefined ? 10 : Infinity)) : 1;
const deadline = minutes === undefined ? Infinity : performance.now() + minutes * 60_000;
const signal = minutes === undefined ? new AbortController().signal : AbortSignal.timeout(minutes * 60_000);

let passed = 0;
for (let index = 0; index < seeds && performance.now() < deadline; index++) {
  const seed = only ?? index + 1;
  const folder = await mkdtemp(join(tmpdir(), `twin-soak-${name}-`));
  const startedAt = performance.now();
  let violations: readonly string[];
  let did = 'nothing';
  const lines = progressLines((line) => console.error(`seed ${seed}: ${line}`));
  try {
    ({ did, violations } = await soak(seed, { folder, signal, progress: lines.hear }));
  } catch (error) {
    violations = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  } finally {
    lines.end();
  }
  const took = `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  if (violations.length > 0) {
    console.error(`seed ${seed}: ${did}, ${took}, VIOLATED\n${violations.map((violation) => `  - ${violation}`).join('\n')}`);
    console.error(`What it left lies in ${folder}\nAgain: npm run soak -- ${name} --seed ${seed}`);
    process.exit(1);
  }
  await rm(folder, { recursive: true, force: true });
  passed++;
  console.log(`seed ${seed}: ${did}, ${took}, every invariant held`);
}
console.log(`${name}: ${passed} ${passed === 1 ? 'seed' : 'seeds'} passed`);
