import { type Command, Option } from 'commander';
import { collectValues, declare, group } from './declare.ts';

/** Commands about schedules. */
export function declareSchedules(program: Command): void {
  const schedule = group(
    program,
    'schedule',
    'pipelines by the clock or by changed documents: add, list, start, trigger, pause, resume, remove, history, export',
  );
  declare(
    schedule,
    'add <name> [pipeline]',
    'add a schedule (the pipeline defaults to its name); adding an equal one again changes nothing',
    [
      "twin schedule add nightly --cron '17 2 * * *' --time-zone Europe/Berlin",
      "twin schedule add index feature-pipeline --cron '7 * * * *' --after-documents 500",
      'twin schedule add index feature-pipeline --after-documents 100 --max-age 6h --overlap buffer-one --replace',
    ],
    async () => (await import('../commands/schedule-add.ts')).addSchedule,
  )
    .option('--cron <fields>', 'when: minute, hour, day of month, month, day of week')
    .option('--time-zone <zone>', 'whose clock the fields are read by', 'UTC')
    .option('--after-documents <count>', 'also once so many documents have changed since the last tick')
    .option('--max-age <time>', 'also once a change has waited for so long: 90s, 15m, 6h, 7d')
    .option('--overlap <policy>', 'when a tick falls due while another is run: skip, buffer-one, cancel-other, allow', 'skip')
    .option('--catch-up <policy>', 'of the ticks that fell due while nobody looked, run: none, latest, all', 'latest')
    .option('--catch-up-window <time>', 'and none that are older than this', '7d')
    .option('--pause-after <count>', 'pause after so many failures in a row (default: never)')
    .option('--jitter <time>', 'begin each tick late by up to so much, always the same for the same tick')
    .option('--set <address=value>', 'as of twin run; may be repeated', collectValues)
    .option('--replace', 'change the schedule of that name');
  declare(
    schedule,
    'list',
    'list schedules: when each runs next, and how it last went',
    ['twin schedule list', 'twin schedule list --json'],
    async () => (await import('../commands/schedules.ts')).listSchedules,
  );
  declare(
    schedule,
    'start',
    'run ticks as they fall due, until stopped; one scheduler a store',
    ['twin schedule start', 'twin schedule start --no-wait'],
    async () => (await import('../commands/schedule-start.ts')).startScheduler,
  ).option('--no-wait', 'fail at once where another scheduler is running');
  declare(
    schedule,
    'trigger <name>',
    'run the tick that is due, once: what has run is not run again',
    [
      'twin schedule trigger nightly',
      'twin schedule trigger nightly --tick 2026-03-29T02:30:00+01:00',
      'twin schedule trigger nightly --now',
    ],
    async () => (await import('../commands/schedule-trigger.ts')).triggerSchedule,
  )
    .option('--tick <time>', 'this logical time, also one that was missed')
    .option('--now', 'a tick of its own, although none is due')
    .addOption(new Option('--by-scheduler').hideHelp());
  declare(
    schedule,
    'pause <name>',
    'run no ticks until it is resumed; those that fall due meanwhile are written down as skipped',
    ['twin schedule pause nightly'],
    async () => (await import('../commands/schedules.ts')).pauseSchedule,
  );
  declare(
    schedule,
    'resume <name>',
    'go on with a paused schedule',
    ['twin schedule resume nightly'],
    async () => (await import('../commands/schedules.ts')).resumeSchedule,
  );
  declare(
    schedule,
    'remove <name>',
    'remove a schedule; its history stays',
    ['twin schedule remove nightly'],
    async () => (await import('../commands/schedules.ts')).removeSchedule,
  );
  declare(
    schedule,
    'history <name>',
    'show what became of each tick, newest first',
    ['twin schedule history nightly', 'twin schedule history nightly --limit 7 --json'],
    async () => (await import('../commands/schedules.ts')).scheduleHistory,
  ).option('--limit <count>', 'how many at most', '20');
  declare(
    schedule,
    'export <name>',
    'write the file by which another clock raises the ticks',
    [
      'twin schedule export nightly --to github --output .github/workflows/nightly.yml',
      'twin schedule export nightly --to systemd --output ~/.config/systemd/user/twin-nightly.timer',
      'twin schedule export nightly --to kubernetes --image registry.example/twin:1',
    ],
    async () => (await import('../commands/schedule-export.ts')).exportSchedule,
  )
    .requiredOption('--to <clock>', 'github, systemd, cron or kubernetes')
    .option('--output <file>', 'write it there instead of printing it')
    .option('--image <name>', 'the container image that holds this folder, for kubernetes');
}
