// A twin that submits a job, keeps a service, says so, and waits to be killed.
import { join } from 'node:path';
import { localJobLauncher } from '../../../src/adapters/job-launcher/local.ts';
import { Service } from '../../../src/workers/service.ts';
import { echo, endless } from '../../support/echo-job.ts';
import { runtimeOf } from '../../support/python-runtime.ts';

const [folder, python] = process.argv.slice(2) as [string, string];
const launcher = localJobLauncher({ jobsFolder: join(folder, 'jobs'), runtime: runtimeOf(python), leaseSeconds: 30 });
const job = await launcher.submit(await echo(folder, 'job-a', endless));
const service = new Service({
  name: 'puppet',
  command: async () => ({ file: process.execPath, arguments: [join(import.meta.dirname, 'service.js')], variables: {} }),
});
const { pid } = await service.request('pid', {});
console.log(JSON.stringify({ service: pid, how: job.how }));
for await (const _ of launcher.follow(job, { afterSeq: 0, signal: new AbortController().signal }));
