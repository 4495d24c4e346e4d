import { readFileSync } from 'node:fs';
import { arch, availableParallelism, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { outputFolder } from '../logs/places.ts';
import { bytes } from '../report/quantities.ts';
import { installation } from './project.ts';

/** Variables that say which job of a CI service this is; none of them is a secret. */
const ciVariables = [
  'GITHUB_REPOSITORY',
  'GITHUB_WORKFLOW',
  'GITHUB_RUN_ID',
  'GITHUB_RUN_ATTEMPT',
  'GITHUB_REF_NAME',
  'GITHUB_SHA',
  'SLURM_JOB_ID',
];

/** Where the surroundings of a run are kept. */
export function environmentFile(logs: string, run: string): string {
  return join(outputFolder(logs, run), 'environment.json');
}

/** What a run runs on: versions, machine, commit, CI job. Nothing of it is part of any key. */
export function currentEnvironment(
  project: string,
  variables: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const commit = commitOf(project);
  const found: Record<string, string> = {
    twin: twinVersion(),
    Node: process.version,
    system: `${type()} ${release()} on ${arch()}`,
    machine: `${availableParallelism()} cores, ${bytes(totalmem())} of memory`,
    project,
    ...(commit === null ? {} : { commit }),
  };
  for (const name of ciVariables) if (variables[name]) found[name] = variables[name];
  return found;
}

function twinVersion(): string {
  return (JSON.parse(readFileSync(join(installation, 'package.json'), 'utf8')) as { version: string }).version;
}

/** The commit that is checked out, without starting git; null where there is none, or it is packed away. */
function commitOf(project: string): string | null {
  try {
    const head = readFileSync(join(project, '.git', 'HEAD'), 'utf8').trim();
    const reference = /^ref: (.+)$/.exec(head)?.[1];
    return reference === undefined ? head : readFileSync(join(project, '.git', reference), 'utf8').trim();
  } catch {
    return null;
  }
}
