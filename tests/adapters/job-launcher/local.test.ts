import { join } from 'node:path';
import { localJobLauncher } from '../../../src/adapters/job-launcher/local.ts';
import { jobLauncherConformance } from '../../conformance/job-launcher.ts';
import { runtimeOf } from '../../support/python-runtime.ts';
import { plainPython } from '../../support/plain-python.ts';
import { skipWithout } from '../../support/python.ts';

const python = plainPython();

if (python === null) skipWithout('Python 3.10 or newer');
else {
  jobLauncherConformance('The local launcher', async (folder) =>
    localJobLauncher({ jobsFolder: join(folder, 'jobs'), runtime: runtimeOf(python), leaseSeconds: 30 }),
  );
}
