import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FailureCard } from '../contracts/failure-card.ts';
import type { RunReport } from '../contracts/run-report.ts';
import type { RunView } from '../contracts/run-view.ts';
import { ingestJob, metricsFolder } from '../curves/ingest-job.ts';
import { metricsIn, readCurve } from '../curves/read-curve.ts';
import { makersOf, ranBecause } from '../history/ran-because.ts';
import { lastLines } from '../logs/last-lines.ts';
import { outputOwners } from '../logs/output-owners.ts';
import { outlineLog } from '../logs/timeline.ts';
import type { MetadataStore } from '../ports/metadata-store.ts';
import { runPage } from '../report/html/run-page.ts';
import { environmentFile } from './run-environment.ts';
import type { StateFolder } from './state-folder.ts';

/** Steps whose last words are shown, and how many lines of each. */
const stepsQuoted = 150;
const linesQuoted = 40;
const curvesShown = 80;
const bucketsShown = 240;

/** The file of a run's report. */
export function reportFile(state: StateFolder, run: string): string {
  return join(state.reports, `${run}.html`);
}

/** Writes the report of a run as one page of HTML, whole or not at all. */
export async function writeReport(
  journal: MetadataStore,
  state: StateFolder,
  view: RunView,
  failures: readonly FailureCard[],
  path = reportFile(state, view.run),
): Promise<string> {
  const page = runPage(await gather(journal, state, view, failures));
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.new`;
  await writeFile(draft, page);
  await rename(draft, path);
  return path;
}

async function gather(journal: MetadataStore, state: StateFolder, view: RunView, failures: readonly FailureCard[]): Promise<RunReport> {
  const source = { logs: state.logs, jobs: state.jobs, run: view.run };
  const outline = await outlineLog(state.logs, view.run);
  const speaking = new Set([...outline.spoke, ...outline.jobs.keys(), ...(await outputOwners(state.logs, view.run))]);
  const quoted = [...speaking].slice(0, stepsQuoted);
  const [why, madeBy, lines, environment] = await Promise.all([
    ranBecause(journal, view),
    makersOf(journal, view),
    lastLines(source, quoted, linesQuoted),
    readEnvironment(state, view.run),
  ]);
  const curves = curvesOf(state, outline.jobs);
  return { view, failures, timeline: outline.timeline, why, madeBy, lines, curves, environment, at: Date.now() };
}

function curvesOf(state: StateFolder, jobs: ReadonlyMap<string, string>): RunReport['curves'] {
  const curves: RunReport['curves'][number][] = [];
  for (const [step, job] of jobs) {
    const folder = join(state.jobs, job);
    ingestJob(folder);
    for (const metric of metricsIn(metricsFolder(folder))) {
      const curve = curves.length < curvesShown ? readCurve(metricsFolder(folder), metric, bucketsShown) : null;
      if (curve !== null) curves.push({ step, job, curve });
    }
  }
  return curves;
}

async function readEnvironment(state: StateFolder, run: string): Promise<RunReport['environment']> {
  try {
    const found = JSON.parse(await readFile(environmentFile(state.logs, run), 'utf8')) as Readonly<Record<string, string>>;
    return Object.entries(found).map(([name, value]) => ({ name, value }));
  } catch {
    return [{ name: 'environment', value: 'not known: its log is gone' }];
  }
}
