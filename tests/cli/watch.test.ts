import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { watch } from '../../src/cli/commands/watch.ts';
import { said } from '../support/command-line.ts';
import { builtEnvironment, skipWithout } from '../support/python.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startTwin } from '../support/twin-process.ts';

const here = builtEnvironment() !== null;
if (!here) skipWithout('python');

describe('twin watch refuses', () => {
  const refusal = async (flags: Parameters<typeof watch>[1]) => {
    const { stderr, exit } = await said({ folder: await temporaryFolder() }, (context) => watch(context, flags, 'words-pipeline'));
    return `${stderr}exit ${exit}`;
  };

  test('a port that is none', async () => {
    expect(await refusal({ metricsPort: '99999' })).toMatchInlineSnapshot(`
      "error: --metrics-port has a wrong value
        expected  a port, or 0 for one that is free
        found     99999
        → For example: --metrics-port 9464
      exit 2"
    `);
  });

  test('an address without a port', async () => {
    expect(await refusal({ metricsHost: '0.0.0.0' })).toMatchInlineSnapshot(`
      "error: --metrics-host says where, and no port is named
        → For example: --metrics-port 9464
      exit 2"
    `);
  });

  test('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    expect((await refusal({ metricsPort: `${port}` })).replaceAll(`${port}`, '<port>')).toMatchInlineSnapshot(`
      "error: Metrics cannot be served on 127.0.0.1:<port>
        at        --metrics-port, --metrics-host
        found     another process listens there
        → Name another port; --metrics-port 0 takes one that is free.
      exit 2"
    `);
  });

  test('a pipeline without an index', async () => {
    expect(await refusal({})).toMatchInlineSnapshot(`
      "error: words-pipeline has no step sync-index
        → Name one that keeps an index in step: twin watch feature-pipeline
      exit 2"
    `);
  });
});

describe.skipIf(!here)('twin watch', () => {
  /** A folder of its own with one document, and twin started in it. */
  async function oneDocument() {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a.md'), '# A\n\nThe first document.\n');
    const environment = { TWIN_STATE: join(folder, '.twin'), TWIN_EMBEDDER__KIND: 'fake', CI: 'true' };
    const twin = (...args: string[]) => {
      const started = startTwin(args, folder, environment);
      onTestFinished(() => void started.child.kill('SIGKILL'));
      return started;
    };
    expect(await twin('collect', 'a.md').ended).toBe(0);
    return twin;
  }

  test('follows, says how it is by HTTP, and ends with 0 when it is asked to stop', async () => {
    const twin = await oneDocument();
    const watching = twin('watch', 'feature-pipeline', '--metrics-port', '0');
    await watching.says('in step');
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(watching.text())![0];
    expect(await (await fetch(`${url}/readyz`)).text()).toBe('in step\n');
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('twin_watch_changes_settled_total{index="documents"} 1\n');
    watching.child.kill('SIGTERM');
    expect(await watching.ended).toBe(0);
    const steady = watching
      .text()
      .replaceAll(url, '<url>')
      .replaceAll(/ {2}\d+\/s/g, '')
      .replace(/for [\d.]+ m?s/, 'for <time>');
    expect(steady).toMatchInlineSnapshot(`
      "Metrics at <url>/metrics, health at <url>/livez and /readyz
      in step  1 change applied
      Stopping: what is under way is finished, and running jobs save a checkpoint. Once more ends at once.
      stopping  1 change applied
      documents was followed for <time>: 1 change applied; it holds 1 point of 1 document.
      "
    `);
    expect(await twin('verify', 'index').ended).toBe(0);
  });

  test('waits for another process that holds the index, or fails at once where that was asked for', async () => {
    const twin = await oneDocument();
    const first = twin('watch', 'feature-pipeline');
    await first.says('in step');
    const refused = twin('watch', 'feature-pipeline', '--no-wait');
    expect(await refused.ended).toBe(1);
    expect(
      refused
        .text()
        .replaceAll(/process \d+ on \S+/g, 'process <pid> on <host>')
        .replace(/for \d+ s/, 'for <time>'),
    ).toMatchInlineSnapshot(`
      "error: index:documents is held by twin watch feature-pipeline (process <pid> on <host> for <time>
        at        effect/index:documents
        → Run without --no-wait to wait for it
      "
    `);
    const second = twin('watch', 'feature-pipeline', '--metrics-port', '0');
    await second.says('waiting for the index documents, held by twin watch feature-pipeline');
    first.child.kill('SIGKILL');
    await second.says('in step');
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(0);
  });
});
