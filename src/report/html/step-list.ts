import type { ArtifactReference } from '../../contracts/artifact.ts';
import type { RunReport } from '../../contracts/run-report.ts';
import type { StepView } from '../../contracts/run-view.ts';
import { bytes, counted, grouped } from '../quantities.ts';
import { missWords } from '../results/plan.ts';
import { countWords, reasonWords, verdictWords } from '../run-words.ts';
import { plainStyle } from '../style.ts';
import { exactDuration } from './exact-duration.ts';
import { Markup, markup } from './markup.ts';
import { stateGlyph } from './states.ts';

/** Steps that are listed. Of more, those that did not go well come first, then those that took longest. */
const mostSteps = 1000;

/** The steps of a run that the report lists, in the order of the run. */
export function listedSteps({ view: { steps } }: RunReport): readonly StepView[] {
  if (steps.length <= mostSteps) return steps;
  const weight = ({ state, durationMs }: StepView): number =>
    state === 'failed' ? Infinity : state === 'cancelled' || state === 'skipped' ? 0 : (durationMs ?? 0) + 1;
  const chosen = new Set(steps.toSorted((left, right) => weight(right) - weight(left)).slice(0, mostSteps));
  return steps.filter((step) => chosen.has(step));
}

/** Every step with its outcome, reason, time and counts; opened, with all that its result depends on and what it made. */
export function stepList(report: RunReport): Markup {
  const steps = listedSteps(report);
  const states = [...new Set(steps.map(({ state }) => state))];
  const filters =
    states.length < 2
      ? null
      : markup`<div class="filters">
          ${[null, ...states].map((state) => markup`<label><input type="radio" name="show" id="show-${state ?? 'all'}" ${state === null ? new Markup(' checked') : null} />${state === null ? 'all' : markup`${stateGlyph(state)} ${state}`}</label>`)}
        </div>`;
  const left = report.view.steps.length - steps.length;
  const note =
    left === 0
      ? null
      : markup`<p class="note">${grouped(left)} steps are left out here; <code>twin runs show ${report.view.run}</code> has all.</p>`;
  return markup`${filters}${note}
    <div class="steps">${steps.map((step) => stepItem(step, report))}</div>`;
}

function stepItem(step: StepView, report: RunReport): Markup {
  const { address, state, durationMs } = step;
  const took = durationMs !== null && (state === 'succeeded' || state === 'failed') ? exactDuration(durationMs) : '';
  const verdicts = verdictWords(step.artifacts, plainStyle);
  const told = [
    reasonWords(step.reason),
    step.attempts > 1 ? counted(step.attempts, 'attempt') : null,
    countWords(state, step.counts),
    verdicts[0] ?? null,
  ].filter((part) => part !== null && part !== '');
  return markup`<details class="step ${state}">
    <summary>
      <span class="state">${stateGlyph(state)} ${state}</span><span class="address">${address}</span><span class="took">${took}</span
      ><span class="told">${told.join(' · ')}</span>
    </summary>
    <div id="step-${encodeURIComponent(address)}" class="inside">${insideOf(step, report, verdicts)}</div>
  </details>`;
}

function insideOf(step: StepView, { why, madeBy, lines }: RunReport, verdicts: readonly string[]): Markup {
  const reason = why.get(step.address);
  const maker = madeBy.get(step.address);
  const said = lines.get(step.address) ?? [];
  return markup`<dl>
      ${row('what', step.summary)} ${reason === undefined ? null : row('why it ran', missWords(reason))}
      ${maker === undefined ? null : row('made by', markup`run <a href="${encodeURIComponent(maker)}.html">${maker}</a>`)}
      ${verdicts.length === 0 ? null : row('verdict', verdicts.join('\n'))}
      ${step.problem === null ? null : row('problem', step.problem.message)} ${row('reads', Object.values(step.inputs).join(', '))}
      ${row(
        'made',
        Object.entries(step.artifacts).map(
          ([name, reference]) =>
            markup`<div><b>${name}</b> ${artifactWords(reference)} <code class="digest">${reference.digest.slice(0, 16)}</code></div>`,
        ),
      )}
      ${row('wired at', step.place)} ${step.key === null ? null : row('key', markup`<code class="digest">${step.key}</code>`)}
    </dl>
    ${partsOf(step)}${
      said.length === 0
        ? null
        : markup`<h4>Last lines</h4>
            ${logBlock(said)}`
    }`;
}

/** Lines that somebody printed, complaints in another colour. */
export function logBlock(lines: readonly { readonly stream: string; readonly text: string }[]): Markup {
  return markup`<pre class="log">
${lines.map(({ stream, text }) => markup`<span class="${stream === 'stderr' ? 'err' : stream === 'mark' ? 'mark' : 'out'}">${text}</span> `)}</pre>`;
}

function row(name: string, value: string | Markup | readonly Markup[]): Markup | null {
  if (value === '' || (Array.isArray(value) && value.length === 0)) return null;
  return markup`<dt>${name}</dt>
    <dd>${value}</dd>`;
}

function artifactWords(reference: ArtifactReference): string {
  switch (reference.kind) {
    case 'json':
      return `JSON, ${bytes(reference.bytes)}`;
    case 'rows':
      return `${counted(reference.rows, 'row')}, ${bytes(reference.bytes)}`;
    case 'folder':
      return `${counted(reference.files, 'file')}, ${bytes(reference.bytes)}`;
  }
}

const partNames = ['version', 'code', 'params', 'inputs', 'ports', 'files', 'environment', 'extra', 'observed'] as const;
/** Characters of a part that are shown: params may hold anything. */
const partLength = 2000;

/** What the key of the step's result is made of. */
function partsOf({ parts }: StepView): Markup | null {
  if (parts === null) return null;
  const rows = partNames.flatMap((name) => {
    const part = parts[name];
    const empty = part === null || (typeof part === 'object' && Object.keys(part).length === 0);
    if (empty) return [];
    const text = typeof part === 'object' ? JSON.stringify(part, null, 1).replaceAll(/\n\s*/g, ' ') : String(part);
    return [
      markup`<dt>${name}</dt>
        <dd><code>${text.length > partLength ? `${text.slice(0, partLength)}…` : text}</code></dd>`,
    ];
  });
  return markup`<h4>What its result depends on</h4>
    <dl class="parts">${rows}</dl>`;
}
