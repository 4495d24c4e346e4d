import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nameHint } from '../config/name-hint.ts';
import type { UsedPipeline } from '../config/load.ts';
import type { Problem, Result } from '../contracts/problem.ts';
import type { AnyPipeline, PipelineBuilder } from '../engine/define.ts';

/** `pipelines/index.ts` of a project: every pipeline by name, imported when it is asked for. */
export type PipelineIndex = Readonly<Record<string, () => Promise<AnyPipeline>>>;

/** The folder that this twin is installed in. */
export const installation = resolve(import.meta.dirname, '../..');

/** The project that twin works on when started in a folder: that folder where it has pipelines of its own, else the one twin came with. */
export function projectOf(folder: string): string {
  return existsSync(join(folder, 'pipelines', 'index.ts')) ? folder : installation;
}

/** The pipelines of a project. */
export async function pipelineIndex(project: string): Promise<PipelineIndex> {
  const module = (await import(pathToFileURL(join(project, 'pipelines', 'index.ts')).href)) as { pipelines: PipelineIndex };
  return module.pipelines;
}

/** A pipeline by name, or word that there is none. */
export async function findPipeline(pipelines: PipelineIndex, name: string): Promise<Result<AnyPipeline>> {
  const load = Object.hasOwn(pipelines, name) ? pipelines[name] : undefined;
  if (load !== undefined) return { ok: true, value: await load() };
  const problem: Problem = {
    reason: 'unknown-pipeline',
    message: `There is no pipeline ${name}`,
    hint: nameHint(name, Object.keys(pipelines), 'pipelines'),
    exit: 2,
  };
  return { ok: false, error: problem };
}

/** A handle of anything: whatever is asked of it, it is again one. */
const anyHandle: object = new Proxy({}, { get: (_, key) => (key === Symbol.iterator || key === 'then' ? undefined : anyHandle) });

/** A pipeline and all that it uses, each under the prefix that its steps have in the run; the outer one comes first. */
export function usedPipelines(pipeline: AnyPipeline): readonly UsedPipeline[] {
  const uses: UsedPipeline[] = [{ name: pipeline.name, prefix: '' }];
  const builderAt = (prefix: string, round = '') =>
    ({
      step: () => anyHandle,
      use(used: AnyPipeline, inputs: object, wiring: { readonly as?: string } = {}) {
        const inner = `${prefix}${wiring.as ?? used.name}${round}`;
        uses.push({ name: used.name, prefix: inner });
        return used.build(builderAt(`${inner}.`), inputs) as unknown;
      },
      check: () => undefined,
      loop(rounds: number, start: unknown, body: (builder: PipelineBuilder, value: unknown, round: number) => unknown) {
        let value = start;
        for (let at = 1; at <= Math.min(rounds, 100); at++) value = body(builderAt(prefix, `${round}#${at}`), value, at);
        return value;
      },
    }) as unknown as PipelineBuilder;
  try {
    pipeline.build(builderAt(''), {});
  } catch {
    // A pipeline that cannot be built is a problem of its graph, which says more about it.
  }
  return uses;
}
