import type { ReportOptions, Reporter } from './reporter.ts';

/** The reporter for these options: JSON lines, next to nothing, a live view on a terminal, plain lines otherwise. */
export async function openReporter(options: ReportOptions): Promise<Reporter> {
  const { stdout, environment } = options;
  if (options.json) return (await import('./json-reporter.ts')).jsonReporter(options);
  if (options.quiet) return (await import('./plain-reporter.ts')).quietReporter(options);
  const live = stdout.isTTY === true && environment['TERM'] !== 'dumb' && !isContinuousIntegration(environment);
  return live ? (await import('./live-reporter.ts')).liveReporter(options) : (await import('./plain-reporter.ts')).plainReporter(options);
}

function isContinuousIntegration(environment: ReportOptions['environment']): boolean {
  const { CI } = environment;
  return CI !== undefined && CI !== '' && CI !== 'false' && CI !== '0';
}
