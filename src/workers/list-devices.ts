import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { DeviceList } from '../contracts/devices.ts';
import { type PythonRuntime, workerVariables } from './python-runtime.ts';

/** A driver that does not answer for so long never does. */
const answerMs = 20_000;

/** The GPUs of this machine and who has them; `release` ends the quarantine of one first. Builds no environment: none is there without one. */
export async function listDevices(runtime: PythonRuntime, release?: string): Promise<DeviceList> {
  const environment = runtime.locate();
  if (environment === null) return { devices: [], released: false };
  const { stdout } = await promisify(execFile)(
    environment.python,
    ['-m', 'twin_workers', 'devices', ...(release === undefined ? [] : ['--release', release])],
    { cwd: runtime.workersFolder, env: workerVariables(runtime.workersFolder), timeout: answerMs },
  );
  return DeviceList.parse(JSON.parse(stdout));
}
