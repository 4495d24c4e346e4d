import { ProblemError } from '../contracts/problem.ts';
import type { HubProgress, ModelHub } from '../ports/model-hub.ts';
import type { Wired } from './wire.ts';

/** `<owner>/<name>`, as hubs call repositories. */
const repositoryName = /^[\w.-]+\/[\w.-]+$/;

/** The configured hub, once the name of the repository is one; throws where either is not so. */
export async function openHub(wired: Wired, repository: string): Promise<ModelHub> {
  if (!repositoryName.test(repository)) {
    throw new ProblemError({
      reason: 'invalid-repository',
      message: `${repository} is no name of a repository`,
      expected: '<owner>/<name>',
      hint: 'For example: twin models push champion my-team/twin',
      exit: 2,
    });
  }
  const hub = await wired.ports.open('modelHub');
  if (hub) return hub;
  throw new ProblemError({
    reason: 'no-hub',
    message: 'No model hub is configured',
    expected: 'modelHub in configs/',
    found: 'kind: none',
    hint: 'Add to configs/local.yaml: modelHub: { kind: hugging-face, token: { env: HF_TOKEN } }',
    exit: 2,
  });
}

/** Tells a tenth of a file at most once. */
export function tenths(tell: (line: string) => void): (progress: HubProgress) => void {
  const told = new Map<string, number>();
  return ({ path, done, total }) => {
    const tenth = total === 0 ? 10 : Math.floor((10 * done) / total);
    if ((told.get(path) ?? 0) >= tenth) return;
    told.set(path, tenth);
    tell(`${path}: ${tenth * 10} %`);
  };
}
