import type { ScheduleSpec } from '../src/contracts/schedule.ts';
import { exportTo } from '../src/schedules/export.ts';

/** Where this repository's own night is described to GitHub. */
export const nightlyWorkflowPath = '.github/workflows/nightly.yml';

const spec: ScheduleSpec = {
  pipeline: 'nightly',
  cron: '17 2 * * *',
  timeZone: 'UTC',
  afterDocuments: null,
  afterMs: null,
  overlap: 'skip',
  catchUp: 'latest',
  catchUpWindowMs: 7 * 24 * 60 * 60 * 1000,
  pauseAfter: null,
  jitterMs: 0,
  profile: 'embedded',
  set: [],
};

/** The text of that file: what `twin schedule export nightly --to github` writes here. */
export function nightlyWorkflow(): string {
  const twin = ['node_modules/.bin/node', 'bin/twin.js'];
  const files = exportTo('github', { name: 'nightly', spec, twin, folder: '.', state: null, image: null });
  if (!files.ok) throw new Error(files.error.message);
  return files.value[0]!.text;
}
