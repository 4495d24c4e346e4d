import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JobView } from '../../src/contracts/job-view.ts';
import type { SweepVariant } from '../../src/contracts/sweep.ts';
import type { RunEvent } from '../../src/contracts/events/run.ts';
import { userCacheFolder } from '../../src/workers/environment.ts';
import { echoProject } from '../support/echo-project.ts';
import { builtEnvironment, skipWithout } from '../support/python.ts';
import { scratchProject } from '../support/scratch-project.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const fake = resolve(import.meta.dirname, '../../python-workers/tests/fake_nvml.py');

/** A project on a machine with these GPUs, of which a fake driver tells; leases lie in a cache folder of its own. */
async function projectWith(devices: readonly object[]) {
  const folder = await temporaryFolder();
  const driver = join(folder, 'driver', 'fake_nvml.py');
  await mkdir(dirname(driver));
  await mkdir(join(folder, 'cache', 'twin'), { recursive: true });
  await cp(fake, driver);
  await writeFile(join(dirname(driver), 'devices.json'), JSON.stringify(devices));
  await symlink(join(userCacheFolder(), 'python'), join(folder, 'cache', 'twin', 'python'));
  return await scratchProject(echoProject, { XDG_CACHE_HOME: join(folder, 'cache'), TWIN_TEST_NVML: driver });
}

const devices = [
  { uuid: 'GPU-8c3e', name: 'Fake H100', total: 80, free: 79, sample: { device_utilization: 3 } },
  { uuid: 'MIG-51aa', name: 'Fake H100 MIG 1g.10gb', total: 10, free: 9 },
];

describe.skipIf(builtEnvironment() === null)('twin jobs devices', { timeout: 60_000 }, () => {
  test('keeps jobs from a device that failed, goes on with another one, and gives it back when it is told to', async () => {
    const { twin } = await projectWith(devices);
    const faulty = await twin(
      'run',
      'echo-pipeline',
      '--set',
      'repeat-rows.fault=device-fault',
      '--set',
      'repeat-rows.faultStep=1',
      '--json',
    );
    expect(faulty.exit).toBe(1);
    const logs = (faulty.lines() as readonly RunEvent[]).flatMap((event) => (event.type === 'step-log' ? [event.message] : []));
    expect(logs.filter((line) => line.startsWith('has '))).toEqual(['has Fake H100 MIG 1g.10gb (MIG-51aa)', 'has Fake H100 (GPU-8c3e)']);

    const listed = await twin('jobs', 'devices');
    expect(listed.stdout.replaceAll(/job [0-9a-f]{12}/g, 'job <job>')).toMatchInlineSnapshot(`
      "DEVICE    NAME                   STATE        FREE                BUSY  WHY
      GPU-8c3e  Fake H100              quarantined  84.8 GB of 85.9 GB  3 %   The device failed: CUDA error: uncorrectable ECC error encountered (job <job>)
      MIG-51aa  Fake H100 MIG 1g.10gb  quarantined  9.7 GB of 10.7 GB         The device failed: CUDA error: uncorrectable ECC error encountered (job <job>)
      → twin jobs release-device GPU-8c3e
      → twin jobs release-device MIG-51aa
      "
    `);
    const doctor = await twin('doctor');
    expect(doctor.stdout).toContain('GPU-8c3e gets no job: The device failed: CUDA error: uncorrectable ECC error encountered');
    expect(doctor.stdout).toContain('twin jobs release-device GPU-8c3e');

    expect((await twin('jobs', 'release-device', 'GPU')).stdout).toBe('GPU-8c3e is given to jobs again.\n');
    expect((await twin('jobs', 'release-device', 'GPU-8c3e')).stdout).toBe('GPU-8c3e was not quarantined; nothing was done.\n');
    const again = await twin('run', 'echo-pipeline', '--json');
    expect(again.exit).toBe(0);
    const [job] = (again.lines() as readonly RunEvent[]).flatMap((event) => (event.type === 'job-launched' ? [event.job] : []));
    expect((await twin('jobs', 'show', job!)).stdout).toMatch(/device +Fake H100 \(GPU-8c3e\)/);
  });

  test('has a sweep use all of them at once, and do once what its variants share', async () => {
    const { twin } = await projectWith(devices);
    const line = ['run', 'echo-pipeline', '--sweep', 'repeat-rows.steps=21,22,23,24', '--at-once', '2', '--json'];
    const cold = ['--set', 'jobLauncher.kind=local', '--set', 'jobLauncher.start=spawn'];
    const swept = await twin(...line, ...cold, '--set', 'repeat-rows.secondsPerStep=0.05');
    const lines = swept.lines() as readonly (RunEvent | SweepVariant)[];
    const variants = lines.flatMap((told) => (told.type === 'sweep-variant' ? [told] : []));
    expect(variants.map(({ status, values }) => [values['repeat-rows.steps'], status])).toEqual(
      [21, 22, 23, 24].map((steps) => [steps, 'succeeded']),
    );
    const runs = lines.flatMap((told) => (told.type === 'run-finished' ? [told.steps.succeeded] : []));
    // Four jobs, and once each what comes before and after them, whose inputs are equal.
    expect(runs.reduce((sum, count) => sum + count, 0)).toBe(6);
    const shown = await Promise.all(
      variants.map(async ({ job }) => (await twin('jobs', 'show', job!.job, '--json')).lines()[0] as unknown as JobView),
    );
    expect(new Set(shown.map((view) => view.devices[0]!.uuid))).toEqual(new Set(['GPU-8c3e', 'MIG-51aa']));
    const [first, second] = shown.map(({ startedAt, seconds }) => ({
      from: Date.parse(startedAt!),
      to: Date.parse(startedAt!) + seconds * 1000,
    }));
    expect(first!.from < second!.to && second!.from < first!.to).toBe(true);
  });

  test('names the devices that there are where none is meant', async () => {
    const { twin } = await projectWith(devices);
    const { stderr, exit } = await twin('jobs', 'release-device', 'GPU-8c3f');
    expect(`${stderr}exit ${exit}`).toMatchInlineSnapshot(`
      "error: There is no device GPU-8c3f
        expected  GPU-8c3e, MIG-51aa
        found     GPU-8c3f
        → Did you mean GPU-8c3e?
      exit 2"
    `);
  });

  test('says so where there are none', async () => {
    const { twin } = await projectWith([]);
    expect((await twin('jobs', 'devices')).stdout).toBe('No GPUs that the driver of NVIDIA tells of: jobs run on the CPU.\n');
  });
});
if (builtEnvironment() === null) skipWithout('the Python environment');
