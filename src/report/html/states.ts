import type { RunView, StepView } from '../../contracts/run-view.ts';

/** A sign beside each colour, since not everybody sees colours. */
export function stateGlyph(state: StepView['state'] | RunView['status']): string {
  switch (state) {
    case 'succeeded':
      return '✓';
    case 'cached':
      return '↺';
    case 'failed':
      return '✗';
    case 'refused':
      return '⊘';
    case 'skipped':
      return '–';
    case 'cancelled':
      return '■';
    case 'running':
      return '▶';
    case 'pending':
    case 'ready':
    case 'queued':
      return '·';
  }
}
