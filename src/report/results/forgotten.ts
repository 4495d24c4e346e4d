import type { Forgotten } from '../../contracts/results.ts';
import { counted } from '../quantities.ts';
import type { Style } from '../style.ts';

/** What was erased, or would be, and the proof of it. */
export function forgottenText({ done, documents, erased, searched, remains, datasets, models }: Forgotten, style: Style): string {
  const what = [
    `  ${counted(erased.documents, 'document')} of the document store`,
    `  ${counted(erased.points, 'point')} of all generations of the index`,
    `  ${counted(erased.artifacts, 'artifact')}${datasets.length > 0 ? `, among them the rows of ${datasets.join(', ')}` : ''}`,
    ...(done
      ? [
          `  ${counted(erased.cachedRows, 'cached row')} and ${counted(erased.embeddings, 'embedding')}`,
          `  ${counted(erased.logLines, 'log line')} and ${counted(erased.files, 'file')} of jobs and reports`,
        ]
      : ['  what caches, logs, jobs and reports hold of it']),
  ];
  const learned =
    models.length === 0 ? [] : [`${style('yellow', 'Models that learned from it, and are not deleted:')} ${models.join(', ')}`];
  if (!done) return [`${counted(documents, 'document')} would be erased:`, ...what, ...learned].join('\n');
  const betrayed = remains.filter(({ traces }) => traces.some((trace) => trace !== 'id'));
  const tombstones = remains.length - betrayed.length;
  const proof =
    betrayed.length === 0
      ? `${style('green', 'Nothing of it is left')} in ${counted(searched, 'file')} that were searched again${tombstones > 0 ? `, but its id in ${counted(tombstones, 'tombstone file')}, by which a copy is told to go` : ''}.`
      : [
          `${style('red', 'Traces are left')} in ${counted(betrayed.length, 'file')} of ${searched}:`,
          ...betrayed.map(({ file, traces }) => `  ${file}: ${traces.join(', ')}`),
        ].join('\n');
  return [`Erased ${counted(documents, 'document')}:`, ...what, proof, ...learned].join('\n');
}
