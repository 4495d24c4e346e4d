import type { CronFields } from './cron-fields.ts';
import type { ExportedFile, ExportRequest } from './export-request.ts';

const weekdayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** A timer and the service that it starts. A missed night is made up for at the next start of the machine; what is due then, twin decides. */
export function systemdUnits({ name, spec, twin, folder, state }: ExportRequest, fields: CronFields): readonly ExportedFile[] {
  const [program, ...args] = twin as [string, ...string[]];
  const service = [
    '[Unit]',
    `Description=twin schedule ${name} (${spec.pipeline})`,
    'After=network-online.target',
    '',
    '[Service]',
    'Type=oneshot',
    `WorkingDirectory=${escaped(folder)}`,
    ...(state === null ? [] : [`Environment=${quoted(`TWIN_STATE=${state}`)}`]),
    `ExecStart=${[`${folder}/${program}`, ...args, 'schedule', 'trigger', name].map(quoted).join(' ')}`,
    '# twin stops its jobs at a checkpoint first.',
    'KillMode=mixed',
    'KillSignal=SIGTERM',
    'TimeoutStartSec=infinity',
    'TimeoutStopSec=120',
    '# A gate that refused is an answer, not a failure of the service.',
    'SuccessExitStatus=3',
  ];
  const timer = [
    '[Unit]',
    `Description=twin schedule ${name}: ${spec.cron} ${spec.timeZone}`,
    '',
    '[Timer]',
    ...calendars(fields, spec.timeZone).map((calendar) => `OnCalendar=${calendar}`),
    `Persistent=${spec.catchUp !== 'none'}`,
    'AccuracySec=1s',
    `Unit=twin-${name}.service`,
    '',
    '[Install]',
    'WantedBy=timers.target',
  ];
  const head = `# Raises the ticks of twin's schedule ${name}. Written by: twin schedule export ${name} --to systemd`;
  return [
    { name: `twin-${name}.timer`, text: `${[head, ...timer].join('\n')}\n` },
    { name: `twin-${name}.service`, text: `${[head, ...service].join('\n')}\n` },
  ];
}

/** Calendar expressions; two where days of the month and of the week are both named, as cron takes either and systemd both. */
export function calendars({ minutes, hours, days, months, weekdays }: CronFields, timeZone: string): readonly string[] {
  const numbers = (values: readonly number[] | null) =>
    values === null ? '*' : values.map((value) => String(value).padStart(2, '0')).join(',');
  const clock = `${numbers(hours)}:${numbers(minutes)}:00 ${timeZone}`;
  const week = weekdays === null ? '' : `${weekdays.map((day) => weekdayNames[day]!).join(',')} `;
  if (days !== null && weekdays !== null)
    return [`*-${numbers(months)}-${numbers(days)} ${clock}`, `${week}*-${numbers(months)}-* ${clock}`];
  return [`${week}*-${numbers(months)}-${numbers(days)} ${clock}`];
}

/** A word of ExecStart: quoted, with its percent and dollar signs doubled. */
function quoted(word: string): string {
  const escapedWord = escaped(word).replaceAll('$', '$$$$');
  return /^[\w@+=:,./%$-]+$/.test(escapedWord) ? escapedWord : `"${escapedWord.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

function escaped(text: string): string {
  return text.replaceAll('%', '%%');
}
