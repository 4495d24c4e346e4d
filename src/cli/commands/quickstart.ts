import { relative } from 'node:path';
import type { CommandOutcome, PlaceLine } from '../../contracts/command-results.ts';
import type { RunEvent } from '../../contracts/events/run.ts';
import { Answer } from '../../contracts/results.ts';
import { type CommandContext, refused } from '../context.ts';
import { openPipeline } from '../pipeline-run.ts';
import { runPipeline } from '../run-pipeline.ts';
import type { StateFolder } from '../state-folder.ts';

/** `twin quickstart`: a twin of this project by every pipeline, then a question about it; the end of the run is said last. */
export async function quickstart(context: CommandContext, flags: { readonly set?: readonly string[] }): Promise<CommandOutcome> {
  const opened = await openPipeline(context, 'quickstart', { set: flags.set ?? [] });
  if (!opened.ok) return refused(opened.error);
  const { state } = opened.value.session.wired;
  return await runPipeline(context, opened.value, {
    async beforeEnd(steps) {
      const answer = steps.map(answerIn).findLast((found) => found !== null);
      if (answer) await context.tell(answer);
      await context.tell({ type: 'places', places: places(state, context.folder) });
    },
  });
}

function answerIn({ artifacts }: Extract<RunEvent, { type: 'step-finished' }>): Answer | null {
  const artifact = Object.values(artifacts).find(({ name }) => name === 'answer');
  const parsed = artifact?.kind === 'json' ? Answer.safeParse(artifact.inline) : null;
  return parsed?.success === true ? parsed.data : null;
}

function places(state: StateFolder, from: string): readonly PlaceLine[] {
  const shown = (path: string) => relative(from, path) || '.';
  return [
    { what: 'journal', path: shown(state.journal) },
    { what: 'documents', path: shown(state.documents) },
    { what: 'vector index', path: shown(state.index) },
    { what: 'models, datasets', path: shown(state.artifacts) },
    { what: 'training jobs', path: shown(state.jobs) },
    { what: 'logs of runs', path: shown(state.logs) },
  ];
}
