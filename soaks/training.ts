import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { localJobLauncher } from '../src/adapters/job-launcher/local.ts';
import { randomFrom } from '../src/metrics/random.ts';
import { locateEnvironment, userCacheFolder } from '../src/workers/environment.ts';
import { runtimeOf, workersFolder } from '../tests/support/python-runtime.ts';
import { tinyDpo, tinySft } from '../tests/support/tiny-training.ts';
import type { Soak } from './soak.ts';
import { faultTable } from './training/fault-table.ts';
import { faults } from './training/faults.ts';
import { outcome, strike } from './training/struck-job.ts';

const rounds = 6;
const steps = { 'train-sft': 24, 'train-dpo': 10 };
const mostFaults = 4;
const shortSteps = 4;
// Looked for before a seed moves the cache.
const environment = locateEnvironment({ lockFile: join(workersFolder, 'requirements.lock'), cacheFolder: userCacheFolder() });
/** The table of faults is the same for every seed: it is made for the first. */
const tabled = { verdicts: 0 };
/** A tuning of so many steps says about this much. */
const mostEvents = 60;

/**
 * Real tunings on a tiny base, each struck by faults at any event of its protocol: in the end every loss and every weight is that of a run that
 * nothing happened to, no process is left, no attempt began before the one before it had ended, and a preemption redid one step at most.
 */
export const soak: Soak = async (seed, { folder, signal, progress }) => {
  if (environment === null) throw new Error('This soak trains: build the Python environment first, `npx twin doctor` says how');
  // What a struck job took teaches no estimate; on one thread sums are added in one order.
  process.env['XDG_CACHE_HOME'] = join(folder, 'cache');
  process.env['OMP_NUM_THREADS'] = '1';
  const source = randomFrom(seed);
  const random = () => source.uint32() / 2 ** 32;
  const runtime = runtimeOf(environment.python, environment);
  const jobsFolder = join(folder, 'jobs');
  await mkdir(jobsFolder);
  const launcher = localJobLauncher({ jobsFolder, runtime, leaseSeconds: 60, start: 'warm' });

  const sft = await tinySft(launcher, folder);
  const wholeSft = sft('whole-sft', steps['train-sft'], seed);
  const expectedSft = await outcome(launcher, wholeSft);
  const dpo = await tinyDpo(folder, wholeSft, expectedSft.adapter);
  const expectedDpo = await outcome(launcher, dpo('whole-dpo', steps['train-dpo']));

  const ground = { runtime, launcher, jobsFolder, random };
  const violations: string[] = [];
  let [attempts, strikes] = [0, 0];
  if (tabled.verdicts === 0) {
    const faulty = (id: string) => sft(id, steps['train-sft'], seed);
    const table = await faultTable(runtime, folder, faulty, (id) => dpo(id, steps['train-dpo']));
    tabled.verdicts = table.verdicts.length;
    console.log('| fault | verdict | class | action | seconds to it |\n| --- | --- | --- | --- | --- |');
    for (const { fault, verdict, class: found, action, seconds } of table.verdicts)
      console.log(`| ${fault} | ${verdict} | ${found ?? ''} | ${action} | ${seconds?.toFixed(2) ?? ''} |`);
    violations.push(...table.violations);
    const whole = sft('whole-short', shortSteps, seed);
    const expected = await outcome(launcher, whole);
    for (const name of ['kill -9 of the worker', 'kill -9 of the keeper', 'preempt']) {
      // Until an attempt ends before it can be struck.
      for (let [after, isStruck] = [1, true]; isStruck && violations.length === 0 && !signal.aborted; after += 1) {
        const id = `${name.replaceAll(' ', '-')}-${after}`;
        const found = await strike(ground, sft(id, shortSteps, seed), [{ name, after }], expected);
        violations.push(...found.violations);
        isStruck = found.struck.length > 0;
        strikes += isStruck ? 1 : 0;
      }
    }
  }
  const names = Object.keys(faults);
  const struck = new Map<string, number>();
  for (let round = 0; round < rounds && !signal.aborted && violations.length === 0; round += 1) {
    const isSft = round % 2 === 0;
    const submission = isSft ? sft(`sft-${round}`, steps['train-sft'], seed) : dpo(`dpo-${round}`, steps['train-dpo']);
    const planned = Array.from({ length: 1 + Math.floor(random() * mostFaults) }, () => ({
      name: names[Math.floor(random() * names.length)]!,
      after: 1 + Math.floor(random() * mostEvents),
    }));
    const found = await strike(ground, submission, planned, isSft ? expectedSft : expectedDpo);
    attempts += found.attempts;
    for (const name of found.struck) struck.set(name, (struck.get(name) ?? 0) + 1);
    violations.push(...found.violations);
    progress('jobs struck', round + 1, rounds);
  }
  const told = [...struck].map(([name, count]) => `${count} x ${name}`).join(', ');
  const each = strikes === 0 ? '' : `killed and preempted after every event, ${strikes} times; `;
  return { did: `${each}${rounds} jobs in ${attempts} attempts; ${told}`, violations };
};
