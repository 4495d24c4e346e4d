import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { temporaryFolder } from './temporary-folder.ts';

const root = resolve(import.meta.dirname, '../..');
const node = join(root, 'node_modules/.bin/node');

/** What a command of a project printed and how it exited. */
export interface Spoken {
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: number | null;
  /** Standard output as JSON, an object a line. */
  lines(): readonly { readonly type: string }[];
}

/** A project of its own in a temporary folder, whose files a test edits and whose commands run in processes of their own, as a user's do. */
export async function scratchProject(files: Readonly<Record<string, string>>, environment: Readonly<Record<string, string>> = {}) {
  const folder = await temporaryFolder();
  const write = async (name: string, content: string): Promise<void> => {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content.replaceAll('<twin>', root));
  };
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await write('package.json', '{ "type": "module" }');
  await write('package-lock.json', JSON.stringify({ packages: { 'node_modules/zod': { version: '4.6.7' } } }));
  for (const [name, content] of Object.entries(files)) await write(name, content);

  return {
    folder,
    write,
    async edit(name: string, from: string, to: string): Promise<void> {
      const before = await readFile(join(folder, name), 'utf8');
      if (!before.includes(from)) throw new Error(`${name} does not hold ${from}`);
      await write(name, before.replace(from, to));
    },
    remove: (name: string) => rm(join(folder, name)),
    /** Runs a command line of twin in the project's folder. */
    async twin(...args: readonly string[]): Promise<Spoken> {
      const child = spawn(node, [join(root, 'bin/twin.js'), ...args], {
        cwd: folder,
        env: {
          ...process.env,
          HOME: folder,
          TWIN_STATE: join(folder, '.twin'),
          NO_COLOR: '1',
          CI: 'true',
          GITHUB_STEP_SUMMARY: '',
          ...environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const [stdout, stderr, exit] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        new Promise<number | null>((settled) => child.on('close', settled)),
      ]);
      const lines = () =>
        stdout
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as { readonly type: string });
      return { stdout, stderr, exit, lines };
    },
  };
}
