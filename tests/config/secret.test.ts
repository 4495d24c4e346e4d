import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { secretReader, secretReferences } from '../../src/config/secret.ts';
import type { SecretReference } from '../../src/config/schema.ts';
import { forgetSecrets, mask } from '../../src/contracts/masking.ts';
import type { ProblemError } from '../../src/contracts/problem.ts';
import { renderProblem } from '../../src/report/problem.ts';
import { plainStyle } from '../../src/report/style.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

afterEach(forgetSecrets);

const read = (reference: SecretReference, folder = '/', environment: Readonly<Record<string, string>> = {}) =>
  secretReader(reference, 'chatModel.apiKey', { folder, environment: { PATH: process.env['PATH'], ...environment } })();

async function refusal(reference: SecretReference, folder = '/'): Promise<string> {
  const error = await read(reference, folder).catch((error: unknown) => error as ProblemError);
  return renderProblem((error as ProblemError).problem, plainStyle).replaceAll(folder, '<folder>');
}

describe('a secret is read', () => {
  test('from the environment, a file or a command, without the line break at its end, and is masked from then on', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'key'), 'from-a-file\n');
    expect(await read({ env: 'KEY' }, folder, { KEY: 'from-the-environment' })).toBe('from-the-environment');
    expect(await read({ file: 'key' }, folder)).toBe('from-a-file');
    expect(await read({ command: ['printf', 'from-a-%s\\n', 'command'] }, folder)).toBe('from-a-command');
    expect(mask('from-the-environment from-a-file from-a-command')).toBe('*** *** ***');
  });

  test('anew each time it is needed, so that a changed file is heeded', async () => {
    const folder = await temporaryFolder();
    const reader = secretReader({ file: 'key' }, 'key', { folder, environment: {} });
    await writeFile(join(folder, 'key'), 'first-key');
    expect(await reader()).toBe('first-key');
    await writeFile(join(folder, 'key'), 'second-key');
    expect(await reader()).toBe('second-key');
  });
});

test('the password of a URL is a secret by itself, encoded or not', async () => {
  await read({ env: 'URL' }, '/', { URL: 'mongodb://twin:p%40ssw0rd@db:27017/?tls=true' });
  expect(mask('user twin, password p@ssw0rd or p%40ssw0rd, host db')).toBe('user twin, password *** or ***, host db');
});

describe('a secret that is not there', () => {
  test('in the environment', async () => {
    expect(await refusal({ env: 'KEY' })).toMatchInlineSnapshot(`
      "error: chatModel.apiKey is to be found in the environment variable KEY
        at        chatModel.apiKey.env
        found     it is not set
        → Set it: export KEY=…"
    `);
  });

  test('in a file', async () => {
    const folder = await temporaryFolder();
    expect(await refusal({ file: 'key' }, folder)).toMatchInlineSnapshot(`
      "error: chatModel.apiKey is to be read from the file key
        at        chatModel.apiKey.file
        found     no such file
        → Look at it: ls -l <folder>/key"
    `);
    await writeFile(join(folder, 'key'), '\n');
    expect(await refusal({ file: 'key' }, folder)).toContain('found     an empty file');
  });

  test('from a command', async () => {
    const folder = await temporaryFolder();
    expect(await refusal({ command: ['no-such-program'] }, folder)).toMatchInlineSnapshot(`
      "error: chatModel.apiKey is to be printed by the command no-such-program
        at        chatModel.apiKey.command
        found     there is no such program
        → Run it yourself: no-such-program"
    `);
    expect(await refusal({ command: ['true'] }, folder)).toContain('found     it printed nothing');
    await writeFile(join(folder, 'locked'), '#!/bin/sh\necho "the vault is locked" >&2\nexit 3\n');
    await chmod(join(folder, 'locked'), 0o755);
    expect(await refusal({ command: ['./locked'] }, folder)).toMatchInlineSnapshot(`
      "error: chatModel.apiKey is to be printed by the command ./locked
        at        chatModel.apiKey.command
        found     exit 3: the vault is locked
        → Run it yourself: ./locked"
    `);
  });
});

test('all references of a configuration are found, by key', () => {
  const config = { chatModel: { apiKey: { env: 'A' } }, store: { url: { file: 'b' } }, other: { env: 'not alone', more: 1 } };
  expect(secretReferences(config).map(({ key }) => key)).toEqual(['chatModel.apiKey', 'store.url']);
});
