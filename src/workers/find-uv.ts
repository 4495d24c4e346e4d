import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { ProblemError } from '../contracts/problem.ts';
import type { FoundPython } from './find-python.ts';

/** What a search for uv needs. */
interface Search {
  readonly cacheFolder: string;
  readonly python: FoundPython;
  readonly variables: NodeJS.ProcessEnv;
  readonly progress: (line: string) => void;
}

/** The command of uv: the one on the path, or the one that pip installs into twin's cache; throws the problem `no-uv`. */
export async function findUv({ cacheFolder, python, variables, progress }: Search): Promise<string> {
  const options = { env: variables, extendEnv: false, reject: false, stdin: 'ignore', all: true } as const;
  if (!(await execa('uv', ['--version'], options)).failed) return 'uv';
  const folder = join(cacheFolder, 'uv');
  const own = join(folder, 'bin', 'uv');
  if (existsSync(own)) return own;
  progress('Installing uv, which builds the Python environment');
  const result = await execa(python.executable, ['-m', 'pip', 'install', '--quiet', '--upgrade', '--target', folder, 'uv'], options);
  if (!result.failed && existsSync(own)) return own;
  throw new ProblemError({
    reason: 'no-uv',
    message: 'uv, which builds the Python environment, is not installed, and pip could not install it.',
    expected: 'uv on the PATH, or a Python with pip',
    found: result.all.split('\n').slice(-5).join('\n') || 'no output',
    hint: `Run \`${python.executable} -m ensurepip --user\` (on Debian \`apt-get install python3-pip\`), or \`curl -LsSf https://astral.sh/uv/install.sh | sh\`, and try again.`,
    exit: 2,
  });
}
