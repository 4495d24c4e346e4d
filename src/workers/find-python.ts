import { execa } from 'execa';
import { ProblemError } from '../contracts/problem.ts';

/** A Python interpreter that can make an environment. */
export interface FoundPython {
  readonly executable: string;
  readonly version: string;
}

const newestFirst = ['python3', 'python', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];

/** The first Python of at least 3.10: the one that TWIN_PYTHON names, or one on the path; throws the problem `no-python`. */
export async function findPython(variables: NodeJS.ProcessEnv): Promise<FoundPython> {
  const named = variables['TWIN_PYTHON'];
  const found: string[] = [];
  for (const candidate of named ? [named] : newestFirst) {
    const python = await ask(candidate, variables);
    if (python === null) continue;
    if (isNewEnough(python.version)) return python;
    found.push(`${candidate} is Python ${python.version}`);
  }
  throw new ProblemError({
    reason: 'no-python',
    message: named ? `TWIN_PYTHON names ${named}, which is no Python that twin can use.` : 'No Python that twin can use was found.',
    expected: 'Python 3.10 or newer',
    found: found.join('; ') || (named ? `${named} does not run` : 'none of python3 and python on the PATH'),
    hint: 'Install Python 3.10 or newer (`apt-get install python3`, `brew install python`), or name one: TWIN_PYTHON=/path/to/python3',
    exit: 2,
  });
}

async function ask(candidate: string, variables: NodeJS.ProcessEnv): Promise<FoundPython | null> {
  const script = 'import sys, platform; print(sys.executable); print(platform.python_version())';
  const result = await execa(candidate, ['-c', script], {
    env: variables,
    extendEnv: false,
    reject: false,
    timeout: 20_000,
    stdin: 'ignore',
  });
  const [executable, version] = result.failed ? [] : result.stdout.split('\n');
  return executable && version ? { executable, version } : null;
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major === 3 && minor >= 10;
}
