import { type Command, Option } from 'commander';
import type { CommandOutcome } from '../../contracts/command-results.ts';
import type { CommandContext } from '../context.ts';

// Declarations import nothing but commander: help must be there at once.

/** Options of every command, as commander reads them. */
interface GlobalOptions {
  readonly json?: true;
  readonly quiet?: true;
  readonly profile?: string;
  /** Given by `--detach` to the process that it starts. */
  readonly detached?: true;
}

/** What a command does, given its surroundings, its options and its names. */
export type Action<Options> = (context: CommandContext, options: Options, ...names: string[]) => Promise<CommandOutcome>;

/** Declares a command: its action gets the options and then the names, and is imported only when it runs. */
export function declare<Options extends object>(
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
    .addOption(new Option('--detached').hideHelp())
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`)
    .action(async (...given: unknown[]) => {
      const command = given.pop() as Command;
      const { json, quiet, profile, detached, ...options } = given.pop() as GlobalOptions & Options;
      const names = given.flat().filter((name): name is string => typeof name === 'string');
      const { perform } = await import('../perform.ts');
      const path = command.parent?.parent ? `${command.parent.name()} ${command.name()}` : command.name();
      const line = ['twin', path, ...names].join(' ');
      const commandOptions = { json: json === true, quiet: quiet === true, profile, detached: detached === true, line };
      process.exitCode = await perform(commandOptions, async (context) => (await load())(context, options as Options, ...names));
    });
}

/** Declares a group of commands. */
export function group(program: Command, name: string, summary: string): Command {
  return program.command(name).summary(summary).description(summary);
}

/** Gathers the values of a flag that may be repeated. */
export const collectValues = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];
