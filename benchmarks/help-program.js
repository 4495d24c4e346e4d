// The command line of twin as a plain JavaScript program: the same commander, the same verbs, nothing behind them.
import { Command } from 'commander';

const twin = new Command('twin').description('Runs the whole life of a tuned LLM.').version('0.1.0', '--version', 'print the version');
for (const verb of ['quickstart', 'doctor', 'run <pipeline>', 'plan <pipeline>', 'collect <paths...>', 'ask <question...>']) {
  twin
    .command(verb)
    .summary('what it does')
    .description('what it does')
    .option('--json', 'one JSON object a line; the last line is the result')
    .option('--quiet', 'say only what was asked for, and what went wrong')
    .option('--profile <name>', 'adapters and settings to use')
    .addHelpText('after', '\nExamples:\n  $ twin')
    .action(() => undefined);
}
for (const [group, verbs] of Object.entries({
  runs: ['list', 'show', 'logs'],
  verify: ['index'],
  jobs: ['list', 'logs', 'cancel'],
  datasets: ['list', 'show'],
  models: ['list', 'show'],
  config: ['show'],
})) {
  const parent = twin.command(group).description('what it does');
  for (const verb of verbs) {
    parent
      .command(verb)
      .option('--json', 'one JSON object a line')
      .option('--quiet', 'say only what was asked for')
      .action(() => undefined);
  }
}
await twin.parseAsync();
