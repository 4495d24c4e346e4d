import { type Argument, Command, CommanderError } from 'commander';
import type { CommandContext } from './context.ts';
import type { CommandOutcome } from '../contracts/command-results.ts';

// Only declarations stand here, and only commander is imported: help must be there at once.

/** Options of every command, as commander reads them. */
interface GlobalOptions {
  readonly json?: true;
  readonly quiet?: true;
  readonly profile?: string;
}

type Action<Options> = (context: CommandContext, options: Options, ...names: string[]) => Promise<CommandOutcome>;

/** Declares a command: its action gets the options and then the names, and is imported only when it runs. */
function declare<Options extends object>(
  parent: Command,
  usage: string,
  summary: string,
  examples: readonly string[],
  load: () => Promise<Action<Options>>,
): Command {
  return parent
    .command(usage)
    .summary(summary)
    .description(summary)
    .option('--json', 'one JSON object a line; the last line is the result')
    .option('--quiet', 'say only what was asked for, and what went wrong')
    .option('--profile <name>', 'adapters and settings to use (default: embedded, or TWIN_PROFILE)')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`)
    .action(async (...given: unknown[]) => {
      const command = given.pop() as Command;
      const { json, quiet, profile, ...options } = given.pop() as GlobalOptions & Options;
      const names = given.flat().filter((name): name is string => typeof name === 'string');
      const { perform } = await import('./perform.ts');
      const path = command.parent?.parent ? `${command.parent.name()} ${command.name()}` : command.name();
      const line = ['twin', path, ...names].join(' ');
      const commandOptions = { json: json === true, quiet: quiet === true, profile, line };
      process.exitCode = await perform(commandOptions, async (context) => (await load())(context, options as Options, ...names));
    });
}

function group(program: Command, name: string, summary: string): Command {
  return program.command(name).summary(summary).description(summary);
}

function argumentTerm(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '…' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

const collectValues = (value: string, earlier: readonly string[] = []) => [...earlier, value];

/** The whole command line. */
export function program(): Command {
  const twin = new Command('twin')
    .description('Runs the whole life of a tuned LLM: collect, index, make training sets, tune, evaluate, promote, answer.')
    .version('0.1.0', '--version', 'print the version')
    .helpOption('-h, --help', 'print help, of a command with: twin <command> --help')
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' ') })
    .addHelpText(
      'after',
      '\nExamples:\n  $ twin quickstart\n  $ twin run feature-pipeline\n  $ twin ask "What does the nightly pipeline do?"',
    );

  declare(
    twin,
    'quickstart',
    'build a twin of this project with every pipeline, and ask it a question',
    ['twin quickstart', 'twin quickstart --json | tail -1'],
    async () => (await import('./commands/quickstart.ts')).quickstart,
  ).option('--set <address=value>', 'set a parameter of a step', collectValues);

  declare(
    twin,
    'doctor',
    'check everything that a run needs, all at once',
    ['twin doctor', 'twin doctor --json'],
    async () => (await import('./commands/doctor.ts')).doctor,
  );

  declare(
    twin,
    'run <pipeline>',
    'run a pipeline: what is unchanged is taken from the cache',
    [
      'twin run nightly',
      'twin run feature-pipeline --set sync-index.chunk-documents.maxTokens=200',
      'twin run training-pipeline --from train-sft --dry-run',
    ],
    async () => (await import('./commands/run.ts')).run,
  )
    .option('--set <address=value>', 'set a parameter of a step, or a key of the configuration; may be repeated', collectValues)
    .option('--from <step>', 'begin with this step; earlier results are reused')
    .option('--to <step>', 'end with this step')
    .option('--only <step>', 'run this step alone; earlier results are reused')
    .option('--force <step>', 'run this step although its result is known; may be repeated', collectValues)
    .option('--dry-run', 'show the plan and change nothing')
    .option('--keep-going', 'after a failure, finish the steps that do not depend on it')
    .option('--no-wait', 'fail at once when another run holds what this one needs')
    .option('--strict', 'exit 3 when input lines were rejected')
    .option('--gate <mode>', 'strict: an evaluation that fails or is undecided refuses the run');

  declare(
    twin,
    'plan <pipeline>',
    'show what a run would do, and why; changes nothing',
    ['twin plan nightly', 'twin plan feature-pipeline --offline'],
    async () => (await import('./commands/plan.ts')).plan,
  )
    .option('--set <address=value>', 'set a parameter of a step; may be repeated', collectValues)
    .option('--force <step>', 'as of twin run; may be repeated', collectValues)
    .option('--from <step>', 'as of twin run')
    .option('--to <step>', 'as of twin run')
    .option('--only <step>', 'as of twin run')
    .option('--offline', 'ask no outside state')
    .option('--check', 'also check everything that a run needs, as doctor does');

  const runs = group(twin, 'runs', 'runs that were: list, show, logs');
  declare(
    runs,
    'list',
    'list runs, newest first',
    ['twin runs list', 'twin runs list --limit 5 --json'],
    async () => (await import('./commands/runs.ts')).listRuns,
  )
    .option('--limit <count>', 'how many at most', '20')
    .option('--pipeline <name>', 'only those of this pipeline');
  declare(
    runs,
    'show [run]',
    'show every step of a run with its outcome and reason (default: the latest run)',
    ['twin runs show', 'twin runs show 3f2a'],
    async () => (await import('./commands/runs.ts')).showRun,
  );
  declare(
    runs,
    'logs [run]',
    'show what a run said (default: the latest run)',
    ['twin runs logs', 'twin runs logs 3f2a --step sync-index'],
    async () => (await import('./commands/runs.ts')).runLogs,
  ).option('--step <step>', 'only of this step');

  const verify = group(twin, 'verify', 'prove that derived data is right: index');
  declare(
    verify,
    'index',
    'compare the index with what the documents say it should hold; exit 3 if they differ',
    ['twin verify index', 'twin verify index --json'],
    async () => (await import('./commands/verify.ts')).verifyIndex,
  );

  declare(
    twin,
    'collect <paths...>',
    'collect files, folders, git working trees and exports into the document store',
    ['twin collect README.md docs', 'twin collect ~/articles --prune'],
    async () => (await import('./commands/collect.ts')).collect,
  )
    .option('--prune', 'delete documents that their source no longer holds')
    .option('--strict', 'exit 3 when input lines were rejected')
    .option('--no-wait', 'fail at once when another run holds what this one needs');

  const jobs = group(twin, 'jobs', 'Python jobs: list, logs, cancel');
  declare(
    jobs,
    'list',
    'list jobs, running ones first',
    ['twin jobs list', 'twin jobs list --json'],
    async () => (await import('./commands/jobs.ts')).listJobs,
  );
  declare(
    jobs,
    'logs <job>',
    'print the last lines that a job wrote',
    ['twin jobs logs 1f9b', 'twin jobs logs 1f9b --lines 500'],
    async () => (await import('./commands/jobs.ts')).jobLogs,
  ).option('--lines <count>', 'how many at most', '100');
  declare(
    jobs,
    'cancel <job>',
    'tell a job to stop for good',
    ['twin jobs cancel 1f9b'],
    async () => (await import('./commands/jobs.ts')).cancelJob,
  );

  const datasets = group(twin, 'datasets', 'dataset versions: list, show');
  declare(
    datasets,
    'list',
    'list dataset versions, newest first',
    ['twin datasets list'],
    async () => (await import('./commands/datasets.ts')).listDatasets,
  );
  declare(
    datasets,
    'show <version>',
    'show a dataset with its card: counts, lengths, sources, drops',
    ['twin datasets show twin@1f9b', 'twin datasets show 1f9b --json'],
    async () => (await import('./commands/datasets.ts')).showDataset,
  );

  const models = group(twin, 'models', 'model versions: list, show');
  declare(
    models,
    'list',
    'list model versions, newest first',
    ['twin models list', 'twin models list --json'],
    async () => (await import('./commands/models.ts')).listModels,
  );
  declare(
    models,
    'show <version>',
    'show a model with its lineage, back to document revisions; an alias may stand for the version',
    ['twin models show champion', 'twin models show twin@1f9b'],
    async () => (await import('./commands/models.ts')).showModel,
  );

  declare(
    twin,
    'ask <question...>',
    'answer a question from the index, with the passages that say so',
    ['twin ask "What does a gate do?"', 'twin ask "What does a gate do?" --passages 3 --json'],
    async () => (await import('./commands/ask.ts')).ask,
  )
    .option('--passages <count>', 'how many passages', '5')
    .option('--model <version>', 'answer with this registered model or alias');

  const config = group(twin, 'config', 'the configuration: show');
  declare(
    config,
    'show [pipeline]',
    'show every value; with a pipeline also the parameters of its steps',
    ['twin config show', 'twin config show feature-pipeline --origin'],
    async () => (await import('./commands/config.ts')).showConfig,
  )
    .option('--origin', 'say where each value came from')
    .option('--set <address=value>', 'as of twin run; may be repeated', collectValues);

  for (const command of allCommands(twin)) {
    command.exitOverride().configureOutput({ outputError: () => {} });
    if (command !== twin) command.helpOption('-h, --help', 'print help').helpCommand(false);
  }
  return twin;
}

function allCommands(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(allCommands)];
}

/** Runs the command line and sets the exit code of the process. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    if (error.code === 'commander.help') {
      // Help was printed because a subcommand is missing.
      process.exitCode = 2;
      return;
    }
    const { usageError } = await import('./usage-error.ts');
    process.exitCode = await usageError(error.message, argv);
  }
}
