import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { fixtureProject } from '../support/command-line.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const bin = resolve(import.meta.dirname, '../../bin/twin.js');
const secret = 'pl4nted/"secret" of ours';

/** Each file below a folder that holds one of these texts as bytes. */
function holding(folder: string, texts: readonly string[]): readonly string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => {
      const bytes = readFileSync(file);
      return texts.some((text) => bytes.includes(text));
    });
}

test.each([
  ['environment variable', () => ({ TWIN_CHAT_MODEL__API_KEY__ENV: 'LEAKED' })],
  ['file', (folder: string) => ({ TWIN_CHAT_MODEL__API_KEY__FILE: join(folder, 'key') })],
])(
  'a secret of the configuration, out of the %s that it names, stands nowhere: not in the terminal, the state folder or the summary',
  async (_kind, named) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'key'), `${secret}\n`);
    const [state, summary] = [join(folder, 'state'), join(folder, 'summary.md')];
    const environment = {
      ...process.env,
      ...named(folder),
      LEAKED: secret,
      TWIN_STATE: state,
      TWIN_CHAT_MODEL__KIND: 'openai-compatible',
      TWIN_CHAT_MODEL__URL: 'http://127.0.0.1:1/v1',
      TWIN_CHAT_MODEL__MODEL: 'm',
      GITHUB_STEP_SUMMARY: summary,
    };
    const twin = (...args: readonly string[]) => {
      const { stdout, stderr, status } = spawnSync(process.execPath, [bin, ...args], {
        cwd: fixtureProject,
        env: environment,
        encoding: 'utf8',
      });
      return { said: stdout + stderr, status };
    };
    const run = twin('run', 'leak-pipeline');
    expect(run.status).toBe(1);
    expect(run.said).toContain('Access denied for ***');
    expect(run.said).toContain('connecting with ***');
    const outputs = [run, twin('runs', 'logs', '--json'), twin('runs', 'show'), twin('run', 'leak-pipeline', '--json')].map(
      ({ said }) => said,
    );
    const forms = [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      Buffer.from(`twin:${secret}`).toString('base64').slice(8, -4),
      Buffer.from(secret).toString('base64').slice(0, -4),
    ];
    expect(forms.filter((form) => outputs.some((said) => said.includes(form)))).toEqual([]);
    expect(holding(state, forms)).toEqual([]);
    expect(readFileSync(summary, 'utf8')).toContain(String.raw`Access denied for \*\*\*`);
    expect(holding(folder, forms)).toEqual([join(folder, 'key')]);
  },
);
