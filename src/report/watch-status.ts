import type { WatchStatus } from '../contracts/watch.ts';
import { counted, duration } from './quantities.ts';
import type { Style } from './style.ts';

/** Where following the changes stands, in one line. */
export function watchStatusText(status: WatchStatus, style: Style): string {
  const { state, settled, perSecond, unsettled, deadLetters, lagMs, windowUsed, alarm, problem } = status;
  const words = {
    'catching-up': style('cyan', 'catching up'),
    'in-step': style('green', 'in step'),
    waiting: style('yellow', 'waiting'),
    stopping: 'stopping',
  };
  if (state === 'waiting') return `${words.waiting}  ${problem ?? ''}`;
  const parts = [
    words[state],
    `${counted(settled, 'change')} applied`,
    perSecond > 0 ? `${perSecond}/s` : null,
    unsettled > 0 ? `${unsettled} unsettled` : null,
    lagMs !== null && lagMs > 0 ? `${duration(lagMs)} behind` : null,
    windowUsed === null ? null : style(alarm ? 'red' : 'dim', `${(windowUsed * 100).toFixed(0)} % of the history passed`),
    deadLetters > 0 ? style('red', `${counted(deadLetters, 'dead letter')}: twin dlq list`) : null,
  ];
  return parts.filter((part) => part !== null).join('  ');
}
