import { describe, expect, test } from 'vitest';
import type { RunEvent } from '../../src/contracts/events/run.ts';
import { scratchProject, type Spoken } from '../support/scratch-project.ts';
import { whyProject } from '../support/why-project.ts';

function finished(run: Spoken) {
  return (run.lines() as readonly RunEvent[]).filter((event) => event.type === 'step-finished');
}

/** Outcomes of a run's steps by address. */
function outcomes(run: Spoken): Readonly<Record<string, string>> {
  return Object.fromEntries(finished(run).map(({ step, outcome }) => [step, outcome]));
}

/** A text without ids and times. */
function steady({ stdout, stderr, exit }: Spoken): string {
  const text = `${stdout}${stderr}exit ${exit}`;
  return text
    .replaceAll(/\d{8}-\d{6}-[a-z0-9]{4}/g, '<run>')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, '<moment>')
    .replaceAll(/ \d+\.\d s/g, ' <time>');
}

const allCached = { 'count-notes': 'cached', 'join-notes': 'cached', 'mark-notes': 'cached', 'read-notes': 'cached' };

describe('after an edit, exactly the right steps run and twin why says what was edited', { timeout: 120_000 }, () => {
  test('a helper two imports away, a comment, a param, one document, a prompt file, the version of a package', async () => {
    const { twin, edit, write } = await scratchProject(whyProject);
    const run = (...more: readonly string[]) => twin('run', 'notes-pipeline', '--json', ...more);
    expect((await run()).exit).toBe(0);
    expect(outcomes(await run())).toEqual(allCached);

    // A comment and the format of a helper.
    await edit('text/repeated.ts', 'text.repeat(times)', '/* as often */ text . repeat(times)');
    expect(outcomes(await run())).toEqual(allCached);
    expect(steady(await twin('why', 'mark-notes'))).toMatchInlineSnapshot(`
      "mark-notes would be taken from the cache: nothing changed since run <run> made it, <moment>

      When it was made: mark-notes ran: no earlier result of it is known
      → twin plan notes-pipeline
      exit 0"
    `);

    // A helper two imports away.
    await edit('text/repeated.ts', 'text . repeat(times)', 'text.repeat(times + 1)');
    expect(steady(await twin('why', 'mark-notes'))).toMatchInlineSnapshot(`
      "mark-notes would run: 1 part of its key changed
        compared with run <run> of <moment>
        code        text/repeated.ts changed
      → twin plan notes-pipeline
      exit 0"
    `);
    expect(outcomes(await run())).toEqual({ ...allCached, 'mark-notes': 'succeeded', 'join-notes': 'succeeded' });
    expect(steady(await twin('why', 'join-notes', '--run', 'latest'))).toMatchInlineSnapshot(`
      "join-notes ran: 1 part of its key changed
        compared with run <run> of <moment>
        inputs      marked has other content
                    4 of 4 documents changed
                    changed: a, b, c, d
                    made by mark-notes in run <run>, because
            code        text/repeated.ts changed

      root cause  mark-notes: text/repeated.ts changed
      → twin runs show <run>
      exit 0"
    `);

    // Other code that makes the same of every row: early cut-off.
    await edit('text/repeated.ts', 'times + 1', '1 + times');
    expect(outcomes(await run())).toEqual({ ...allCached, 'mark-notes': 'succeeded' });

    // A param.
    const set = ['--set', 'mark-notes.level=2'];
    expect(steady(await twin('why', 'join-notes', ...set))).toMatchInlineSnapshot(`
      "join-notes depends on what mark-notes will make: if that is the same as before, it is taken from the cache

      mark-notes would run: 1 part of its key changed
        compared with run <run> of <moment>
        params      level 1 → 2  (now --set mark-notes.level=2; before default)
      → twin plan notes-pipeline
      exit 0"
    `);
    expect(outcomes(await run(...set))).toEqual({ ...allCached, 'mark-notes': 'succeeded', 'join-notes': 'succeeded' });
    expect(steady(await twin('why', 'mark-notes', '--run', 'latest'))).toMatchInlineSnapshot(`
      "mark-notes ran: 1 part of its key changed
        compared with run <run> of <moment>
        params      level 1 → 2  (now --set mark-notes.level=2; before default)
      → twin runs show <run>
      exit 0"
    `);

    // One document of four.
    await edit('notes.json', 'three', 'drei');
    expect(steady(await twin('why', 'count-notes'))).toMatchInlineSnapshot(`
      "count-notes depends on what read-notes will make: if that is the same as before, it is taken from the cache

      read-notes would run: 1 part of its key changed
        compared with run <run> of <moment>
        files       notes.json changed
      → twin plan notes-pipeline
      exit 0"
    `);
    const edited = await run();
    expect(outcomes(edited)).toEqual({
      'read-notes': 'succeeded',
      'mark-notes': 'succeeded',
      'join-notes': 'succeeded',
      'count-notes': 'succeeded',
    });
    expect(finished(edited).find(({ step }) => step === 'mark-notes')).toMatchObject({
      counts: { 'rows computed': 1, 'rows reused': 3 },
    });
    expect(steady(await twin('why', 'join-notes', '--run', 'latest'))).toMatchInlineSnapshot(`
      "join-notes ran: 1 part of its key changed
        compared with run <run> of <moment>
        inputs      marked has other content
                    1 of 4 documents changed
                    changed: c
                    made by mark-notes in run <run>, because
            inputs      input has other content
                        1 of 4 documents changed
                        changed: c
                        made by read-notes in run <run>, because
                files       notes.json changed

      root cause  read-notes: files notes.json changed
      → twin runs show <run>
      exit 0"
    `);

    // A prompt file.
    await write('prompts/join.txt', 'Every note: ');
    expect(steady(await twin('why', 'join-notes'))).toMatchInlineSnapshot(`
      "join-notes would run: 1 part of its key changed
        compared with run <run> of <moment>
        files       prompts/join.txt changed
      → twin plan notes-pipeline
      exit 0"
    `);
    expect(outcomes(await run())).toEqual({ ...allCached, 'join-notes': 'succeeded' });

    // The version of a package.
    await edit('package-lock.json', '4.6.7', '4.6.8');
    expect(steady(await twin('why', 'count-notes'))).toMatchInlineSnapshot(`
      "count-notes would run once read-notes has, whatever that makes: its own part of the key changed
        code        package zod 4.6.7 → 4.6.8

      read-notes would run: 1 part of its key changed
        compared with run <run> of <moment>
        code        package zod 4.6.7 → 4.6.8
      → twin plan notes-pipeline
      exit 0"
    `);
    await edit('package-lock.json', '4.6.8', '4.6.7');

    // Two things at once, far apart.
    await edit('text/marker.ts', "' '", "'  '");
    await edit('notes.json', 'four', 'vier');
    expect(steady(await twin('why', 'join-notes'))).toMatchInlineSnapshot(`
      "join-notes depends on what read-notes will make: if that is the same as before, it is taken from the cache

      read-notes would run: 1 part of its key changed
        compared with run <run> of <moment>
        files       notes.json changed

      mark-notes would run once read-notes has, whatever that makes: its own part of the key changed
        code        text/marker.ts changed
      → twin plan notes-pipeline
      exit 0"
    `);

    // What is not there.
    expect(steady(await twin('why', 'joyn-notes'))).toMatchInlineSnapshot(`
      "error: No pipeline has a step joyn-notes
        → Did you mean join-notes?
      exit 2"
    `);
    expect(steady(await twin('why', 'joyn-notes', '--run', 'latest'))).toMatchInlineSnapshot(`
      "error: Run <run> has no step joyn-notes
        → Did you mean join-notes?
      exit 2"
    `);
  });
});
