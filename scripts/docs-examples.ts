/**
 * Runs every `npx twin` line of the `sh` blocks in README and docs/how-to, in order, on the state that TWIN_STATE names.
 * `node scripts/docs-examples.ts`; exits 1 and shows the output if one of them fails.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const files = ['README.md', ...readdirSync(join(root, 'docs/how-to')).map((file) => join('docs/how-to', file))];
const examples = files.flatMap((file) => {
  const blocks = readFileSync(join(root, file), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```$/gm);
  return [...blocks]
    .flatMap(([, block]) => block!.split('\n').filter((line) => line.startsWith('npx twin ')))
    .map((line) => ({ file, line }));
});

let failed = 0;
for (const { file, line } of examples) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync('sh', ['-c', line], { cwd: root, encoding: 'utf8' });
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${((performance.now() - start) / 1000).toFixed(1)} s  ${file}: ${line}`);
  if (status !== 0) {
    failed += 1;
    console.log(`exit ${status}\n${stdout}${stderr}`);
  }
}
console.log(`${examples.length - failed} of ${examples.length} examples ran`);
process.exitCode = failed === 0 && examples.length > 0 ? 0 : 1;
