import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { JobLine } from '../contracts/command-results.ts';
import type { JobMetric, JobView } from '../contracts/job-view.ts';
import { JobEvent } from '../contracts/worker-protocol.ts';
import { attemptFolder, attemptRequest } from './attempt-folder.ts';

const seriesLength = 256;
/** Steps that the estimate of what is left looks back on. */
const rememberedSteps = 32;

/** What is added up over the events of a job; `take` each in order. */
export class JobFold {
  #device: string | null = null;
  #devices: JobView['devices'] = [];
  #startedAt: string | null = null;
  #first = 0;
  #last = 0;
  #before = 0;
  #attempt = 0;
  #phase: string | null = null;
  #progress: JobView['progress'] = null;
  #steps: { readonly t: number; readonly done: number }[] = [];
  #estimate: JobView['estimate'] = null;
  #warnings: { reason: string; message: string }[] = [];
  #checkpoint: JobView['checkpoint'] = null;
  #residentBytes: number | null = null;
  #error: JobView['error'] = null;
  readonly #metrics = new Map<string, Map<number, number>>();

  take(event: JobEvent): void {
    this.#clock(event);
    switch (event.type) {
      case 'hello':
        this.#device = event.data.device;
        this.#error = null;
        this.#phase = null;
        this.#steps = [];
        return;
      case 'phase':
        if (event.data.name === 'checkpoint' || event.data.name === this.#phase) return;
        this.#phase = event.data.name;
        this.#progress = null;
        this.#steps = [];
        return;
      case 'devices':
        this.#devices = event.data.devices;
        return;
      case 'progress':
        this.#progress = event.data;
        this.#steps = [...this.#steps.slice(1 - rememberedSteps), { t: event.t, done: event.data.done }];
        return;
      case 'metric':
        return this.#points(event.data.points);
      case 'estimate':
        this.#estimate = event.data;
        return;
      case 'checkpoint':
        this.#checkpoint = { step: event.data.step, seconds: event.data.seconds };
        return;
      case 'warn':
        this.#warnings.push(event.data);
        return;
      case 'heartbeat':
        this.#residentBytes = event.data.residentBytes;
        return;
      case 'error':
        this.#error = { reason: event.data.reason, message: event.data.message, hint: event.data.hint };
        return;
      case 'result':
        return undefined;
    }
  }

  /** What is known now. */
  view(of: Pick<JobView, 'line' | 'params' | 'adaptations' | 'usage'> & { readonly pricePerHour: number | null }): JobView {
    const { pricePerHour, ...rest } = of;
    const seconds = this.#before + this.#last - this.#first;
    const running = of.line.state === 'running';
    return {
      ...rest,
      device: this.#device,
      devices: this.#devices,
      startedAt: this.#startedAt,
      seconds,
      phase: this.#phase,
      progress: this.#progress,
      etaSeconds: running ? this.#eta() : null,
      estimate: this.#estimate,
      metrics: [...this.#metrics].map(([name, points]) => metricOf(name, [...points.values()])),
      warnings: this.#warnings,
      checkpoint: this.#checkpoint,
      residentBytes: this.#residentBytes,
      error: this.#error,
      cost: pricePerHour === null ? null : (seconds / 3600) * pricePerHour,
    };
  }

  #clock({ attempt, t, wall }: JobEvent): void {
    this.#startedAt ??= wall;
    if (attempt !== this.#attempt) {
      this.#before += this.#last - this.#first;
      this.#attempt = attempt;
      this.#first = t;
    }
    this.#last = t;
  }

  /** A further attempt makes points again that the one before had made after its checkpoint: the later ones hold. */
  #points(points: Readonly<Record<string, readonly (readonly [number, number | string])[]>>): void {
    for (const [name, pairs] of Object.entries(points)) {
      const known = this.#metrics.get(name) ?? new Map<number, number>();
      this.#metrics.set(name, known);
      for (const [step, value] of pairs) if (typeof value === 'number') known.set(step, value);
    }
  }

  #eta(): number | null {
    const [first, last] = [this.#steps[0], this.#steps.at(-1)];
    const total = this.#progress?.total ?? null;
    if (total === null || first === undefined || last === undefined || last.done <= first.done) return null;
    return ((last.t - first.t) / (last.done - first.done)) * (total - last.done);
  }
}

/** All that a job has said so far, over its attempts. */
export async function readJob(jobFolder: string, line: JobLine, pricePerHour: number | null, usage: JobView['usage']): Promise<JobView> {
  const fold = new JobFold();
  const attempts = (await readdir(join(jobFolder, 'attempts')).catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const attempt of attempts.toSorted((left, right) => left - right)) {
    const file = createReadStream(join(attemptFolder(jobFolder, attempt), 'events.jsonl'), 'utf8');
    try {
      for await (const text of createInterface({ input: file })) {
        const event = eventIn(text);
        if (event !== null) fold.take(event);
      }
    } catch {
      // No event yet.
    }
  }
  const request = await attemptRequest(attemptFolder(jobFolder, line.attempt)).catch(() => null);
  return fold.view({ line, params: request?.params ?? {}, adaptations: request?.adaptations ?? [], usage, pricePerHour });
}

/** A line that is half written, or of another version, is no event. */
function eventIn(text: string): JobEvent | null {
  try {
    return JobEvent.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function metricOf(name: string, values: readonly number[]): JobMetric {
  const length = Math.min(seriesLength, values.length);
  const series = Array.from({ length }, (_, index) => values[Math.floor((index * values.length) / length)]!);
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) [min, max] = [Math.min(min, value), Math.max(max, value)];
  return { name, points: values.length, first: values[0] ?? NaN, last: values.at(-1) ?? NaN, min, max, series };
}
