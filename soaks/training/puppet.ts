// A twin that submits a job, follows it, and waits to be killed.
import { localJobLauncher } from '../../src/adapters/job-launcher/local.ts';
import type { JobSubmission } from '../../src/ports/job-launcher.ts';
import { runtimeOf } from '../../tests/support/python-runtime.ts';

const [jobsFolder, python, submission] = process.argv.slice(2) as [string, string, string];
const launcher = localJobLauncher({ jobsFolder, runtime: runtimeOf(python), leaseSeconds: 60, start: 'warm' });
const job = await launcher.submit(JSON.parse(submission) as JobSubmission);
console.log('submitted');
for await (const _ of launcher.follow(job, { afterSeq: 0, signal: new AbortController().signal }));
