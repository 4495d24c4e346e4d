import { type Argument, Command, CommanderError } from 'commander';
import { declareAnswers } from './declarations/answers.ts';
import { declareConfiguration } from './declarations/configuration.ts';
import { declareDatasets } from './declarations/datasets.ts';
import { declareDocuments } from './declarations/documents.ts';
import { declareIndexes } from './declarations/indexes.ts';
import { declareJobs } from './declarations/jobs.ts';
import { declareModels } from './declarations/models.ts';
import { declarePipelines } from './declarations/pipelines.ts';
import { declareRuns } from './declarations/runs.ts';
import { declareSchedules } from './declarations/schedules.ts';

// Only commander and declarations are imported: help must be there at once.

function argumentTerm(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '…' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

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

  declarePipelines(twin);
  declareRuns(twin);
  declareDocuments(twin);
  declareIndexes(twin);
  declareJobs(twin);
  declareDatasets(twin);
  declareModels(twin);
  declareAnswers(twin);
  declareSchedules(twin);
  declareConfiguration(twin);

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
  // Whoever reads our output may have read enough (`| head`).
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
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
