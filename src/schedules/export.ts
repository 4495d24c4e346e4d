import type { Problem, Result } from '../contracts/problem.ts';
import { cronFields } from './cron-fields.ts';
import { type ExportedFile, type ExportRequest, shellWords } from './export-request.ts';
import { githubWorkflow } from './export-github.ts';
import { kubernetesCronJob } from './export-kubernetes.ts';
import { systemdUnits } from './export-systemd.ts';

/** Clocks that can raise ticks in the scheduler's place. */
export const clocks = ['github', 'systemd', 'cron', 'kubernetes'] as const;
export type Clock = (typeof clocks)[number];

/** The files by which a clock raises the ticks of a schedule. */
export function exportTo(clock: Clock, request: ExportRequest): Result<readonly ExportedFile[]> {
  const { cron } = request.spec;
  if (cron === null) return refusal(request, 'a schedule with --cron', 'it has none: only twin schedule start watches documents');
  const fields = cronFields(cron);
  if (fields === null) return refusal(request, 'five fields of numbers, names, lists, ranges and steps', cron);
  switch (clock) {
    case 'github':
      return githubWorkflow(request, cron);
    case 'systemd':
      return { ok: true, value: systemdUnits(request, fields) };
    case 'cron':
      return { ok: true, value: [crontab(request, cron)] };
    case 'kubernetes':
      return kubernetesCronJob(request, cron);
  }
}

function refusal({ name }: ExportRequest, expected: string, found: string): Result<never> {
  const problem: Problem = { reason: 'not-exportable', message: `Schedule ${name} cannot be exported`, expected, found, exit: 2 };
  return { ok: false, error: problem };
}

function crontab({ name, spec, twin, folder, state }: ExportRequest, cron: string): ExportedFile {
  // A percent sign is a line break to cron.
  const command = shellWords([...twin, 'schedule', 'trigger', name]).replaceAll('%', '\\%');
  const log = shellWords([`${state ?? `${folder}/.twin`}/logs/schedule-${name}.log`]).replaceAll('%', '\\%');
  const lines = [
    `# Raises the ticks of twin's schedule ${name}. Written by: twin schedule export ${name} --to cron`,
    `# Add it to yours: crontab -l | cat - FILE | crontab -`,
    `CRON_TZ=${spec.timeZone}`,
    ...(state === null ? [] : [`TWIN_STATE=${state}`]),
    `${cron} cd ${shellWords([folder]).replaceAll('%', '\\%')} && ${command} >> ${log} 2>&1`,
  ];
  return { name: `twin-${name}.cron`, text: `${lines.join('\n')}\n` };
}
