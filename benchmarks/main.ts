import { readdirSync } from 'node:fs';
import type { Figure } from './figure.ts';

const [name, ...flags] = process.argv.slice(2);
const known = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && !['main.ts', 'figure.ts', 'chain.ts', 'chain-steps.ts', 'job-start.ts'].includes(file))
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
process.exitCode = figures.every(({ holds }) => holds) ? 0 : 1;

function row({ figure, value, unit, peer, peerValue, ratio, target, holds }: Figure): string {
  const beside = peer === null ? '' : ` | ${peer} ${number(peerValue!)} ${unit}, ratio ${number(ratio!)}`;
  return `${holds ? 'holds ' : 'MISSED'} ${figure}: ${number(value)} ${unit}${beside} | target ${target}`;
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toPrecision(3);
}
