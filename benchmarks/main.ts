import { readdirSync } from 'node:fs';
import { type Figure, readable } from './figure.ts';
import { writeResults } from './results.ts';

// npm run bench -- <name> [--json] [--write]: prints each figure; --write puts them into RESULTS.md.
const [name, ...flags] = process.argv.slice(2);
const begun = performance.now();
const known = readdirSync(import.meta.dirname)
  .filter(
    (file) => file.endsWith('.ts') && !['main.ts', 'figure.ts', 'chain.ts', 'chain-steps.ts', 'job-start.ts', 'results.ts'].includes(file),
  )
  .map((file) => file.slice(0, -3));
if (name === undefined || !known.includes(name)) {
  console.error(`Which benchmark? One of: ${known.join(', ')}\nFor example: npm run bench -- ${known[0]}`);
  process.exit(2);
}

const { measure } = (await import(`./${name}.ts`)) as { measure: (report: (figure: Figure) => void) => Promise<void> };
const figures: Figure[] = [];
await measure((figure) => {
  figures.push(figure);
  if (flags.includes('--json')) console.log(JSON.stringify(figure));
  else console.log(row(figure));
});
if (flags.includes('--write')) writeResults(name, figures, (performance.now() - begun) / 60_000);
process.exitCode = figures.every(({ holds }) => holds) ? 0 : 1;

function row({ figure, value, unit, peer, peerValue, ratio, target, holds }: Figure): string {
  const beside = peer === null ? '' : ` | ${peer} ${readable(peerValue!)} ${unit}, ratio ${readable(ratio!)}`;
  return `${holds ? 'holds ' : 'MISSED'} ${figure}: ${readable(value)} ${unit}${beside} | target ${target}`;
}
