import { openReporter } from '../report/open-reporter.ts';

/** Says what is wrong with a command line, as commander found it, in the form of every other problem; returns the exit code. */
export async function usageError(message: string, argv: readonly string[]): Promise<number> {
  const { env, stdout, stderr } = process;
  const reporter = await openReporter({ stdout, stderr, environment: env, json: argv.includes('--json'), quiet: false });
  const [first = '', near] = message.replace(/^error: /, '').split('\n');
  const words = argv.slice(2).filter((word) => !word.startsWith('-'));
  const help = `See: twin ${[...words.slice(0, 1), '--help'].join(' ')}`;
  const hint = near === undefined ? help : near.replace(/^\((.*)\)$/, '$1');
  reporter.problems([
    {
      reason: 'usage',
      message: sentence(first),
      hint: first.startsWith('unknown command') && words[1] === undefined && near === undefined ? 'See: twin --help' : hint,
      exit: 2,
    },
  ]);
  return 2;
}

/** `unknown option '--forc'` → `Unknown option --forc`. */
function sentence(text: string): string {
  const bare = text.replaceAll("'", '');
  return bare.charAt(0).toUpperCase() + bare.slice(1);
}
