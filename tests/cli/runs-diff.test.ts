import { describe, expect, test } from 'vitest';
import type { RunDiff } from '../../src/contracts/run-diff.ts';
import { scratchProject, type Spoken } from '../support/scratch-project.ts';
import { whyProject } from '../support/why-project.ts';

const steady = ({ stdout, stderr, exit }: Spoken): string =>
  `${stdout}${stderr}exit ${exit}`
    .replaceAll(/\d{8}-\d{6}-[a-z0-9]{4}/g, '<run>')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, '<moment>')
    .replaceAll(/\d+(\.\d)? s\b/g, '<time>');

describe('twin runs diff', { timeout: 120_000 }, () => {
  test('tells params, code, documents and values in which two runs differ', async () => {
    const { twin, edit, write } = await scratchProject(whyProject);
    const run = (...more: readonly string[]) => twin('run', 'notes-pipeline', '--json', ...more);
    const first = (await run()).lines().at(-1) as unknown as { readonly run: string };
    await edit('text/repeated.ts', 'text.repeat(times)', 'text.repeat(times + 1)');
    await write('notes.json', JSON.stringify({ a: 'one', b: 'zwei', c: 'three', e: 'five', f: 'six' }));
    await run('--set', 'mark-notes.level=2');
    expect(steady(await twin('runs', 'diff', first.run))).toMatchInlineSnapshot(`
      "before  <run>  notes-pipeline succeeded after <time>, started <moment>
      after   <run>  notes-pipeline succeeded after <time>, started <moment>

      read-notes  succeeded, <time> → <time>
        files       notes.json changed
        output      notes: 1 of 5 documents changed, 2 added, 1 removed
                    changed: b; added: e, f; removed: d

      mark-notes  succeeded, <time> → <time>
        code        text/repeated.ts changed
        params      level 1 → 2  (now --set mark-notes.level=2; before default)
        output      output: 3 of 5 documents changed, 2 added, 1 removed
                    changed: a, b, c; added: e, f
        count       rows computed 4 → 5 (+1)

      join-notes  succeeded, <time> → <time>
        output      joined: value All notes:# one # two # three # four → All notes:### one ### zwei ### three ### five ### six

      count-notes  succeeded, <time> → <time>
        output      count: value 4 → 5
      → twin why <step> --run <run>
      exit 0"
    `);

    const [told] = (await twin('runs', 'diff', first.run, 'latest', '--json')).lines() as unknown as readonly RunDiff[];
    expect(told!.steps.map(({ step }) => step)).toEqual(['read-notes', 'mark-notes', 'join-notes', 'count-notes']);
    expect(steady(await twin('runs', 'diff', 'latest', 'latest'))).toMatchInlineSnapshot(`
      "before  <run>  notes-pipeline succeeded after <time>, started <moment>
      after   <run>  notes-pipeline succeeded after <time>, started <moment>

      All 4 steps are the same.
      → twin why <step> --run <run>
      exit 0"
    `);
    expect(steady(await twin('runs', 'diff', '20200101'))).toMatchInlineSnapshot(`
      "error: There is no run 20200101
        found     20200101
        → twin runs list shows the ids
      exit 2"
    `);
  });
});
