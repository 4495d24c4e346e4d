import { createMasker } from '../contracts/masking.ts';
import type { Output, ReportOptions, Reporter } from './reporter.ts';

/** The reporter for these options: JSON lines, next to nothing, a live view on a terminal, plain lines otherwise. */
export async function openReporter(given: ReportOptions): Promise<Reporter> {
  const [stdout, stderr] = [maskedOutput(given.stdout), maskedOutput(given.stderr)];
  const reporter = await reporterFor({ ...given, stdout, stderr });
  return {
    ...reporter,
    close() {
      reporter.close();
      stdout.end();
      stderr.end();
    },
  };
}

async function reporterFor(options: ReportOptions): Promise<Reporter> {
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

/** An output on which no secret is readable. */
function maskedOutput(output: Output): Output & { end(): void } {
  const masker = createMasker();
  return {
    isTTY: output.isTTY === true,
    get columns() {
      return output.columns ?? 80;
    },
    write(text) {
      const safe = masker.write(text);
      return safe === '' ? true : output.write(safe);
    },
    end() {
      const rest = masker.end();
      if (rest !== '') output.write(rest);
    },
  };
}
