import type { Command } from 'commander';
import { collectValues, declare } from './declare.ts';

/** Commands that set up and run pipelines. */
export function declarePipelines(program: Command): void {
  declare(
    program,
    'quickstart',
    'build a twin of this project with every pipeline, and ask it a question',
    ['twin quickstart', 'twin quickstart --json | tail -1'],
    async () => (await import('../commands/quickstart.ts')).quickstart,
  ).option('--set <address=value>', 'set a parameter of a step', collectValues);

  declare(
    program,
    'doctor',
    'check everything that a run needs, all at once',
    ['twin doctor', 'twin doctor --json'],
    async () => (await import('../commands/doctor.ts')).doctor,
  );

  declare(
    program,
    'run <pipeline>',
    'run a pipeline: what is unchanged is taken from the cache',
    [
      'twin run nightly',
      'twin run feature-pipeline --set sync-index.chunk-documents.maxTokens=200',
      'twin run training-pipeline --from train-sft --dry-run',
      'twin run training-pipeline --to train-sft --sweep train-sft.learningRate=1e-4,3e-4 --sweep train-sft.seed=0,1',
    ],
    async () => (await import('../commands/run.ts')).run,
  )
    .option('--set <address=value>', 'set a parameter of a step, or a key of the configuration; may be repeated', collectValues)
    .option('--sweep <address=values>', 'a run for each of these values of a parameter; repeated, for every combination', collectValues)
    .option('--at-once <count>', 'variants of a sweep at once: one a GPU, say (default: 1)')
    .option('--from <step>', 'begin with this step; earlier results are reused')
    .option('--to <step>', 'end with this step')
    .option('--only <step>', 'run this step alone; earlier results are reused; may be repeated', collectValues)
    .option('--tag <tag>', 'run only steps of this tag, kind (job, map, effect) or pool; may be repeated', collectValues)
    .option('--force <step>', 'run this step although its result is known; may be repeated', collectValues)
    .option('--dry-run', 'show the plan and change nothing')
    .option('--keep-going', 'after a failure, finish the steps that do not depend on it')
    .option('--no-wait', 'fail at once when another run holds what this one needs')
    .option('--strict', 'exit 3 when input lines were rejected')
    .option('--gate <mode>', 'strict: an evaluation that fails or is undecided refuses the run')
    .option('--detach', 'go on in the background, also when this terminal is closed');

  declare(
    program,
    'plan <pipeline>',
    'show what a run would do, and why; changes nothing',
    ['twin plan nightly', 'twin plan feature-pipeline --offline'],
    async () => (await import('../commands/plan.ts')).plan,
  )
    .option('--set <address=value>', 'set a parameter of a step; may be repeated', collectValues)
    .option('--force <step>', 'as of twin run; may be repeated', collectValues)
    .option('--from <step>', 'as of twin run')
    .option('--to <step>', 'as of twin run')
    .option('--only <step>', 'as of twin run; may be repeated', collectValues)
    .option('--tag <tag>', 'as of twin run; may be repeated', collectValues)
    .option('--offline', 'ask no outside state')
    .option('--check', 'also check everything that a run needs, as doctor does, and the data, memory, time and cost of training');

  declare(
    program,
    'why <step>',
    'say why a step ran, or would run now: which part of its key changed, and what changed it',
    ['twin why chunk-documents', 'twin why train-sft --run latest', 'twin why sync-index --json'],
    async () => (await import('../commands/why.ts')).why,
  )
    .option('--run <run>', 'of this run instead of one that would begin now; latest is the newest')
    .option('--pipeline <name>', 'the pipeline that holds the step (default: that of the newest run which does)')
    .option('--set <address=value>', 'as of twin run; may be repeated', collectValues)
    .option('--offline', 'ask no outside state');

  declare(
    program,
    'worker',
    'do steps of runs on other hosts, until told to stop (needs a profile that shares journal, artifacts and queue)',
    ['twin worker --profile server', 'twin worker --profile server --pool gpu --concurrency 1'],
    async () => (await import('../commands/worker.ts')).worker,
  )
    .option('--pool <name>', 'do the steps of this pool (default: default, the steps that name none)')
    .option('--concurrency <count>', 'steps at once (default: one a processor)');
}
