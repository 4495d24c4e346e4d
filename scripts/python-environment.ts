/** Prints the interpreter of the pinned Python environment, which is built first where it is not there. */
import { join, resolve } from 'node:path';
import { pythonEnvironment, userCacheFolder } from '../src/workers/environment.ts';

const root = resolve(import.meta.dirname, '..');
const { python } = await pythonEnvironment({
  lockFile: join(root, 'python-workers/requirements.lock'),
  cacheFolder: userCacheFolder(),
  onProgress: (line) => console.error(line),
});
console.log(python);
