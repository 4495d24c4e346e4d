import type { Command } from 'commander';
import { collectValues, declare, group } from './declare.ts';

/** Commands about runs that were. */
export function declareRuns(program: Command): void {
  const runs = group(program, 'runs', 'runs: list, show, logs, resume, fork, diff, cancel');
  declare(
    runs,
    'list',
    'list runs, newest first',
    ['twin runs list', 'twin runs list --limit 5 --json'],
    async () => (await import('../commands/runs.ts')).listRuns,
  )
    .option('--limit <count>', 'how many at most', '20')
    .option('--pipeline <name>', 'only those of this pipeline');
  declare(
    runs,
    'show [run]',
    'show every step of a run with its outcome and reason (default: the latest run)',
    ['twin runs show', 'twin runs show 3f2a', 'twin runs show 3f2a --html report.html'],
    async () => (await import('../commands/runs.ts')).showRun,
  ).option('--html <file>', 'write its report, one page that needs nothing else, to this file');
  declare(
    runs,
    'logs [run]',
    'show what a run said and its steps printed, also while it runs (default: the latest run)',
    ['twin runs logs', 'twin runs logs 3f2a --step sync-index', 'twin runs logs -f', 'twin runs logs --step train-sft --lines 50'],
    async () => (await import('../commands/run-logs.ts')).runLogs,
  )
    .option('--step <step>', 'only of this step, with all that its job printed')
    .option('-f, --follow', 'go on until the run ends')
    .option('--lines <count>', 'only the last ones');
  declare(
    runs,
    'resume [run]',
    'go on where a run stopped, in a new run that is linked to it; what it finished is kept (default: the latest run)',
    ['twin runs resume', 'twin runs resume 3f2a --allow-changes'],
    async () => (await import('../commands/runs-resume.ts')).resumeRun,
  )
    .option('--allow-changes', 'although code, params or declared files have changed since: steps that they concern are done again')
    .option('--no-wait', 'fail at once when another run holds what this one needs');
  declare(
    runs,
    'fork <step>',
    'begin a new run at a step: with what came before it in another run, and the params of that run but for those that are set',
    ['twin runs fork train-sft --from 3f2a --set train-sft.learningRate=1e-4'],
    async () => (await import('../commands/runs-fork.ts')).forkRun,
  )
    .option('--from <run>', 'the run to fork (default: the latest run)')
    .option('--set <address=value>', 'set a parameter of a step; may be repeated', collectValues)
    .option('--force <step>', 'run this step although its result is known; may be repeated', collectValues)
    .option('--keep-going', 'after a failure, finish the steps that do not depend on it')
    .option('--no-wait', 'fail at once when another run holds what this one needs');
  declare(
    runs,
    'diff <before> [after]',
    'compare two runs: params, code, documents and rows, metrics, time (default: with the latest run)',
    ['twin runs diff 3f2a', 'twin runs diff 3f2a 9c1b --json'],
    async () => (await import('../commands/runs-diff.ts')).diffTwoRuns,
  );
  declare(
    runs,
    'cancel <run>',
    'ask a run to end, from another terminal or host: its jobs save a checkpoint first',
    ['twin runs cancel latest', 'twin runs cancel k3f9 --no-wait'],
    async () => (await import('../commands/runs-cancel.ts')).cancelRun,
  ).option('--no-wait', 'ask, and do not wait until it has ended');
}
