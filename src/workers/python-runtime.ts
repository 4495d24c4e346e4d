import { availableParallelism } from 'node:os';
import { locateEnvironment, pythonEnvironment } from './environment.ts';
import type { PythonEnvironment } from './installed-environment.ts';

/** What everything that starts Python shares: the environment, built when it is first needed, and the workers' code. */
export interface PythonRuntime {
  /** Folder of the package `twin_workers` and of `requirements.lock`. */
  readonly workersFolder: string;
  readonly lockFile: string;
  /** The environment if it is there; starts nothing. */
  locate(): PythonEnvironment | null;
  /** The environment, built first where it is missing. */
  ready(): Promise<PythonEnvironment>;
}

/** How to make a runtime. */
export interface PythonRuntimeOptions {
  readonly workersFolder: string;
  /** twin's folder in the user's cache. */
  readonly cacheFolder: string;
  readonly onProgress?: (line: string) => void;
}

/** A runtime of the environment that `requirements.lock` in the workers' folder names. */
export function pythonRuntime(options: PythonRuntimeOptions): PythonRuntime {
  const lockFile = `${options.workersFolder}/requirements.lock`;
  const location = { lockFile, cacheFolder: options.cacheFolder };
  let building: Promise<PythonEnvironment> | undefined;
  return {
    workersFolder: options.workersFolder,
    lockFile,
    locate: () => locateEnvironment(location),
    ready() {
      building ??= pythonEnvironment({ ...location, ...(options.onProgress && { onProgress: options.onProgress }) }).catch(
        (error: unknown) => {
          building = undefined;
          throw error;
        },
      );
      return building;
    },
  };
}

// Everything else stays behind: a secret that Python never gets cannot show up in its output.
const kept =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_.+|TZ|TERM|TMPDIR|XDG_.+|HF_HOME|(CUDA|NVIDIA|NCCL|PYTORCH|TORCH|TRITON|OMP|MKL|SLURM|ROCR|HIP)_.+|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|SSL_CERT_FILE|SSL_CERT_DIR|TWIN_TEST_NVML)$/;

/** The process environment of a Python worker: what it needs of ours, and fixed answers to what libraries would ask. */
export function workerVariables(workersFolder: string, variables: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  return {
    OMP_NUM_THREADS: String(availableParallelism()),
    ...Object.fromEntries(Object.entries(variables).filter(([name]) => kept.test(name))),
    PYTHONPATH: workersFolder,
    PYTHONUNBUFFERED: '1',
    PYTHONUTF8: '1',
    HF_HUB_OFFLINE: '1',
    HF_HUB_DISABLE_TELEMETRY: '1',
    TOKENIZERS_PARALLELISM: 'false',
  };
}
