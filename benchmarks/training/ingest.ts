import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { ingestJob, metricsFolder } from '../../src/curves/ingest-job.ts';
import { readCurve } from '../../src/curves/read-curve.ts';
import { atMost, type Figure } from '../figure.ts';

const points = 1_000_000;
const pointsAnEvent = 10;

/** A job of a million metric points, as its worker wrote them: taken in, and read back for a chart. */
export async function measureIngest(folder: string): Promise<readonly Figure[]> {
  const attempt = join(folder, 'attempts', '1');
  await mkdir(attempt, { recursive: true });
  const file = createWriteStream(join(attempt, 'events.jsonl'));
  for (let at = 0; at < points; at += pointsAnEvent) {
    const loss = Array.from({ length: pointsAnEvent }, (_, place) => [at + place + 1, 3 + Math.sin((at + place) / 1000)]);
    const event = { v: 1, job: 'j', attempt: 1, seq: at / pointsAnEvent + 1, t: at, wall: '', type: 'metric', data: { points: { loss } } };
    if (!file.write(`${JSON.stringify(event)}\n`)) await new Promise((resolve) => file.once('drain', resolve));
  }
  await finished(file.end());
  const begun = performance.now();
  const stored = ingestJob(folder);
  const rate = stored / ((performance.now() - begun) / 1000);
  const asked = performance.now();
  const curve = readCurve(metricsFolder(folder), 'loss');
  const seconds = (performance.now() - asked) / 1000;
  if (stored !== points || curve === null) throw new Error(`${stored} of ${points} points were stored`);
  const ingest = { ...atMost('metric points taken in', rate, 'points/s', 200_000), target: '>= 200000 points/s', holds: rate >= 200_000 };
  return [ingest, atMost('a million points of one metric read back for a chart', seconds, 's', 0.2)];
}
