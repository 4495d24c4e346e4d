import { chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256 } from '../../src/contracts/digest.ts';
import type { ProblemError } from '../../src/contracts/problem.ts';
import { spaceProblem } from '../../src/workers/build-environment.ts';
import { locateEnvironment, pythonEnvironment, userCacheFolder } from '../../src/workers/environment.ts';
import { currentHolder } from '../../src/workers/holder.ts';

let folder: string;
let location: { lockFile: string; cacheFolder: string };
let variables: NodeJS.ProcessEnv;
let progress: string[];
const options = () => ({ ...location, variables, onProgress: (line: string) => void progress.push(line) });
const calls = async () => (await readFile(join(folder, 'calls'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

async function script(name: string, body: string): Promise<void> {
  await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${body}`);
  await chmod(join(folder, 'bin', name), 0o755);
}

// Puppets: a python3 of a chosen version, and a uv that notes what it is asked, and makes no more than the interpreter's link.
async function puppets({ python = '3.12.3', install = 'echo "Installed 2 packages" >&2; echo " + six==1.17.0" >&2' } = {}): Promise<void> {
  await script('python3', `echo ${folder}/bin/python3; echo ${python}`);
  await script(
    'uv',
    `[ "$1" = --version ] && exit 0
     echo "$1 $2 dontwrite=$PYTHONDONTWRITEBYTECODE" >> ${folder}/calls
     [ "$1" = pip ] && { ${install}; exit $?; }
     for last; do :; done
     mkdir -p "$last/bin" && ln -s ${folder}/bin/python3 "$last/bin/python"`,
  );
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twin-environment-'));
  location = { lockFile: join(folder, 'requirements.lock'), cacheFolder: join(folder, 'cache') };
  variables = { PATH: `${folder}/bin:/usr/bin:/bin`, PYTHONDONTWRITEBYTECODE: '1' };
  progress = [];
  await mkdir(join(folder, 'bin'));
  await writeFile(location.lockFile, 'six==1.17.0\n');
  await puppets();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('an environment is built once, named by its lock file, with bytecode', async () => {
  expect(locateEnvironment(location)).toBeNull();
  const environment = await pythonEnvironment(options());
  const home = join(location.cacheFolder, 'python', sha256('six==1.17.0\n').slice(0, 16));
  expect(environment).toEqual({
    folder: home,
    python: join(home, 'bin', 'python'),
    sitePackages: join(home, 'lib', 'python3.12', 'site-packages'),
  });
  expect(locateEnvironment(location)).toEqual(environment);
  expect(await pythonEnvironment(options())).toEqual(environment);
  expect(await calls()).toEqual(['venv --quiet dontwrite=', 'pip install dontwrite=']);
  expect(progress).toEqual([
    'Building the Python environment (about 5 GB and a minute or two, once)',
    'Installed 2 packages',
    'The Python environment is ready',
  ]);
  expect(await readdir(join(location.cacheFolder, 'python'))).toEqual([sha256('six==1.17.0\n').slice(0, 16)]);
});

test('a changed lock file means another environment', async () => {
  const first = await pythonEnvironment(options());
  await writeFile(location.lockFile, 'six==1.16.0\n');
  expect(locateEnvironment(location)).toBeNull();
  expect((await pythonEnvironment(options())).folder).not.toBe(first.folder);
});

test('an environment whose interpreter is gone, and what a dead build left, are built anew', async () => {
  const { folder: home, python } = await pythonEnvironment(options());
  await rm(python);
  await symlink(join(folder, 'gone'), python);
  await mkdir(`${home}.building-1`);
  expect(locateEnvironment(location)).toBeNull();
  await pythonEnvironment(options());
  expect(locateEnvironment(location)).not.toBeNull();
  expect(await readdir(join(location.cacheFolder, 'python'))).toHaveLength(1);
});

test('two processes of twin build it once, and the second names the first', async () => {
  await puppets({ install: `read line < ${folder}/gate` });
  await (await import('execa')).execa('mkfifo', [join(folder, 'gate')]);
  const first = pythonEnvironment(options());
  await expect.poll(calls).toHaveLength(2);
  const second = pythonEnvironment(options());
  await expect.poll(() => progress.at(-1)).toMatch(/^Waiting for another twin \(process \d+ on .+\) that builds the Python environment$/);
  await writeFile(join(folder, 'gate'), 'go\n');
  expect(await second).toEqual(await first);
  expect(await calls()).toHaveLength(2);
});

test('the lock of a dead process is taken over', async () => {
  await mkdir(join(location.cacheFolder, 'python'), { recursive: true });
  const lock = join(location.cacheFolder, 'python', `${sha256('six==1.17.0\n').slice(0, 16)}.lock`);
  await writeFile(lock, JSON.stringify({ ...currentHolder('twin'), start: '1' }));
  await pythonEnvironment(options());
  expect(progress.some((line) => line.startsWith('Waiting'))).toBe(false);
});

test('a build that fails says what failed and leaves nothing that looks finished', async () => {
  await puppets({ install: 'echo "error: no such package" >&2; false' });
  const { problem } = (await pythonEnvironment(options()).catch((error: unknown) => error)) as ProblemError;
  const python = join(location.cacheFolder, 'python', `${sha256('six==1.17.0\n').slice(0, 16)}.building-${process.pid}`, 'bin', 'python');
  expect(problem).toEqual({
    reason: 'environment-failed',
    message: 'The Python environment could not be built.',
    found: 'error: no such package',
    hint: `Run the same command again; the build failed at: uv pip install --no-progress --python ${python} --compile-bytecode --require-hashes -r ${location.lockFile}`,
    exit: 2,
  });
  expect(locateEnvironment(location)).toBeNull();
});

test('a Python that is too old is named, and nothing is built', async () => {
  await puppets({ python: '3.9.2' });
  variables['TWIN_PYTHON'] = join(folder, 'bin', 'python3');
  const { problem } = (await pythonEnvironment(options()).catch((error: unknown) => error)) as ProblemError;
  expect(problem).toEqual({
    reason: 'no-python',
    message: `TWIN_PYTHON names ${folder}/bin/python3, which is no Python that twin can use.`,
    expected: 'Python 3.10 or newer',
    found: `${folder}/bin/python3 is Python 3.9.2`,
    hint: 'Install Python 3.10 or newer (`apt-get install python3`, `brew install python`), or name one: TWIN_PYTHON=/path/to/python3',
    exit: 2,
  });
  expect(await calls()).toEqual([]);
});

test('without any Python the message says where it was looked for', async () => {
  variables['PATH'] = join(folder, 'empty');
  const { problem } = (await pythonEnvironment(options()).catch((error: unknown) => error)) as ProblemError;
  expect(problem).toMatchObject({
    reason: 'no-python',
    message: 'No Python that twin can use was found.',
    found: 'none of python3 and python on the PATH',
  });
});

test('without uv it is installed into the cache by pip, and if that fails the message says how to get it', async () => {
  await rm(join(folder, 'bin', 'uv'));
  await script('python3', `case "$1" in -c) echo ${folder}/bin/python3; echo 3.12.3;; *) echo "No module named pip" >&2; exit 1;; esac`);
  variables['PATH'] = join(folder, 'bin');
  const { problem } = (await pythonEnvironment(options()).catch((error: unknown) => error)) as ProblemError;
  expect(problem).toEqual({
    reason: 'no-uv',
    message: 'uv, which builds the Python environment, is not installed, and pip could not install it.',
    expected: 'uv on the PATH, or a Python with pip',
    found: 'No module named pip',
    hint: `Run \`${folder}/bin/python3 -m ensurepip --user\` (on Debian \`apt-get install python3-pip\`), or \`curl -LsSf https://astral.sh/uv/install.sh | sh\`, and try again.`,
    exit: 2,
  });
});

test('a full disk is told before anything is downloaded', () => {
  expect(spaceProblem('/home/ann/.cache/twin', 6e9)).toBeNull();
  expect(spaceProblem('/home/ann/.cache/twin', 1.23e9)).toEqual({
    reason: 'no-space',
    message: 'There is too little free space for the Python environment in /home/ann/.cache/twin.',
    expected: '6.0 GB',
    found: '1.2 GB',
    hint: 'Free some space, or set XDG_CACHE_HOME to a folder on a larger disk, and run the same command again.',
    exit: 2,
  });
});

test('the cache folder follows XDG_CACHE_HOME, else the home folder', () => {
  expect(userCacheFolder({ XDG_CACHE_HOME: '/cache', HOME: '/home/ann' })).toBe('/cache/twin');
  expect(userCacheFolder({ XDG_CACHE_HOME: '', HOME: '/home/ann' })).toBe('/home/ann/.cache/twin');
});
