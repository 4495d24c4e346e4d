import type { ArtifactDifference, Examples, Tally } from '../../contracts/difference.ts';
import type { ExplainedChange, StepExplanation, WhyResult } from '../../contracts/why.ts';
import { counted, grouped, moment } from '../quantities.ts';
import { reasonWords } from '../run-words.ts';
import type { Style } from '../style.ts';

/** Modules, members and causes that are named before the rest is counted. */
const namedAtMost = 6;

/** Why a step ran or would, with every part of its key that changed and what changed that. */
export function whyText({ explanation, upstream, made, pipeline, run }: WhyResult, style: Style): string {
  const lines = [...stepLines(explanation, style, run === null)];
  for (const step of upstream) lines.push('', ...stepLines(step, style, true));
  if (made) lines.push('', ...stepLines(made, style, false).map((line, index) => (index === 0 ? `When it was made: ${line}` : line)));
  const roots = rootCauses([explanation, ...upstream]);
  const shown = roots.length > 0 && [explanation, ...upstream].some(({ changes }) => changes.some(({ cause }) => cause !== null));
  if (shown) lines.push('', `${style('bold', 'root cause')}  ${roots.slice(0, namedAtMost).join('; ')}`);
  lines.push(style('dim', run === null ? `→ twin plan ${pipeline}` : `→ twin runs show ${run}`));
  return lines.join('\n');
}

function stepLines(explanation: StepExplanation, style: Style, now: boolean): readonly string[] {
  const { step, against, changes } = explanation;
  const head = `${style('bold', step)} ${verb(explanation, now)}`;
  const compared = against ? [style('dim', `  compared with run ${against.run} of ${moment(against.at)}`)] : [];
  return [head, ...compared, ...changes.flatMap((change) => changeLines(change, style, '  '))];
}

function verb({ outcome, why, changes }: StepExplanation, now: boolean): string {
  const ran = now ? 'would run' : outcome === 'failed' ? 'ran and failed' : outcome === 'running' ? 'is running' : 'ran';
  switch (why.kind) {
    case 'first-time':
      return `${ran}: no earlier result of it is known`;
    case 'forced':
      return `${ran}: --force names it`;
    case 'changed':
      return `${ran}: ${counted(changes.length, 'part')} of its key changed`;
    case 'artifact-missing':
      return `${ran}: its output ${why.output} is gone from the artifact store, or was changed there`;
    case 'state-changed':
      return `${ran}: what it keeps up to date is not as it left it (it left ${short(why.before)} and found ${short(why.after)})`;
    case 'interrupted':
      return `${ran}: it began in run ${why.run} and was never finished`;
    case 'hit':
      return `${now ? 'would be taken' : 'was taken'} from the cache: nothing changed since run ${why.run} made it, ${moment(why.at)}`;
    case 'ended': {
      const words = reasonWords(why.reason);
      return `${now ? 'would be' : 'was'} ${outcome === 'skip' ? 'skipped' : outcome}${words === null ? '' : `: ${words}`}`;
    }
    case 'unknown':
      if (!why.made) return `would run once ${why.until} has: no earlier result of it is known`;
      return changes.length > 0
        ? `would run once ${why.until} has, whatever that makes: its own part of the key changed`
        : `depends on what ${why.until} will make: if that is the same as before, it is taken from the cache`;
    case 'unobserved':
      return `is not known: ${why.message}`;
  }
}

/** A change with what lies behind it, a line a thing, further in at each step back. */
export function changeLines(change: ExplainedChange, style: Style, indent: string): readonly string[] {
  const { part, name, within, code, content, cause } = change;
  const label = style('cyan', (part === 'extra' ? extraLabel(name) : part).padEnd(11));
  const lines = [`${indent}${label} ${summary(change)}`];
  const inner = `${indent}            `;
  if (code && code.modules.length > 0) lines.push(...packageWords(code).map((line) => `${inner}${line}`));
  for (const line of within) lines.push(...changeLines(line, style, `${indent}  `));
  if (content) lines.push(...contentLines(content).map((line) => `${inner}${line}`));
  if (cause) {
    lines.push(`${inner}${style('dim', `made by ${cause.step} in run ${cause.run}, because`)}`);
    if (cause.changes.length === 0) lines.push(`${inner}  its key is the same: it makes something else of it each time`);
    for (const one of cause.changes) lines.push(...changeLines(one, style, `${indent}    `));
  }
  return lines;
}

function extraLabel(name: string | null): string {
  return name === 'job' ? 'job' : 'map step';
}

/** One change in one line: what it is, before and after. */
function summary({ part, name, before, after, origin, code, within }: ExplainedChange): string {
  switch (part) {
    case 'code':
      return codeWords(code, 'its code');
    case 'extra':
      if (name === 'job') return codeWords(code, 'the code of its Python job');
      return `${(name ?? '').replace(/^rows /, '')}${within.length === 0 ? ' is another one' : ''}`;
    case 'contract':
      return `twin runs steps in another way (${show(before)} → ${show(after)})`;
    case 'step':
    case 'version':
      return `${show(before)} → ${show(after)}`;
    case 'params': {
      const sources = origin && [origin.after && `now ${origin.after}`, origin.before && `before ${origin.before}`].filter(Boolean);
      return `${name} ${show(before)} → ${show(after)}${sources && sources.length > 0 ? `  (${sources.join('; ')})` : ''}`;
    }
    case 'inputs':
      return before === null ? `${name} is new` : after === null ? `${name} is gone` : `${name} has other content`;
    case 'ports':
      return `${name}: ${show(before)} → ${show(after)}`;
    case 'files':
      return `${name} ${before === null ? 'is new' : after === null ? 'is not read any more' : 'changed'}`;
    case 'environment':
      return `${name} ${show(before)} → ${show(after)}`;
    case 'observed':
      return `what it reads outside: ${show(before)} → ${show(after)}`;
  }
}

function codeWords(code: ExplainedChange['code'], subject: string): string {
  if (code === null) return `${subject} changed (which file is not known any more)`;
  const named = code.modules.slice(0, namedAtMost).map(({ path, change }) => `${path}${change === 'changed' ? '' : ` (${change})`}`);
  const more = code.modules.length - named.length;
  if (named.length > 0) return `${named.join(', ')}${more > 0 ? ` and ${more} more` : ''} changed`;
  return code.packages.length > 0 ? packageWords(code).join(', ') : `${subject} changed in the order of its modules`;
}

function packageWords({ packages }: NonNullable<ExplainedChange['code']>): readonly string[] {
  // The hash of a lock file says nothing to anybody.
  const change = (before: string | null, after: string | null) =>
    (before?.length ?? 0) > 40 ? 'changed' : `${before ?? 'nothing'} → ${after ?? 'nothing'}`;
  return packages.map(({ name, before, after }) =>
    name.includes('.') ? `${name} ${change(before, after)}` : `package ${name} ${change(before, after)}`,
  );
}

/** How the content of an input differs. */
export function contentLines(content: ArtifactDifference): readonly string[] {
  switch (content.kind) {
    case 'rows': {
      const { rows, documents, examples } = content;
      const rowWords = `${grouped(rows.added)} of ${counted(rows.after, 'row')} new, ${grouped(rows.removed)} of ${grouped(rows.before)} gone`;
      if (documents === null) return [rowWords];
      // Where each document is one row, its rows say nothing more.
      const each = documents.after === rows.after && documents.before === rows.before;
      return [`${tallyWords(documents, 'document')}${each ? '' : `; ${rowWords}`}`, ...exampleWords(examples)];
    }
    case 'json':
      return [
        ...content.members.slice(0, namedAtMost).map(({ path, before, after }) => `${path || 'value'} ${show(before)} → ${show(after)}`),
        ...(content.members.length + content.more > namedAtMost
          ? [`and ${content.members.length + content.more - namedAtMost} more members`]
          : []),
      ];
    case 'folder':
      return [tallyWords(content.files, 'file'), ...exampleWords(content.examples)];
    case 'unknown':
      return [`how it differs cannot be told: ${content.what}`];
  }
}

/** `changed: a.md, b.md; added: c.md`. */
export function exampleWords(examples: Examples): readonly string[] {
  const told = (['changed', 'added', 'removed'] as const).flatMap((change) => {
    const names = examples.filter((example) => example.change === change).map(({ name }) => name);
    return names.length === 0 ? [] : [`${change}: ${names.join(', ')}`];
  });
  return told.length === 0 ? [] : [told.join('; ')];
}

/** `3 of 912 documents changed, 1 added`. */
export function tallyWords({ after, added, removed, changed }: Tally, noun: string): string {
  const told = [
    [changed, 'changed'],
    [added, 'added'],
    [removed, 'removed'],
  ] as const;
  const [first, ...rest] = told.filter(([amount]) => amount > 0).map(([amount, word]) => [grouped(amount), word] as const);
  if (!first) return `the same ${counted(after, noun)}, in another form or order`;
  return [`${first[0]} of ${counted(after, noun)} ${first[1]}`, ...rest.map(([amount, word]) => `${amount} ${word}`)].join(', ');
}

/** What nothing else explains: the changes that are no inputs, of the step itself and of those that made its inputs. */
function rootCauses(explanations: readonly StepExplanation[]): readonly string[] {
  const roots = new Set<string>();
  const visit = (step: string, changes: readonly ExplainedChange[]): void => {
    for (const change of changes) {
      if (change.cause && change.cause.changes.length > 0) visit(change.cause.step, change.cause.changes);
      else if (change.within.length > 0) visit(`${step}.${(change.name ?? '').replace(/^rows /, '')}`, change.within);
      else roots.add(`${step}: ${change.part === 'code' || change.part === 'extra' ? '' : `${change.part} `}${summary(change)}`);
    }
  };
  for (const { step, changes } of explanations) visit(step, changes);
  return [...roots];
}

function show(of: ExplainedChange['before']): string {
  return of === null ? 'nothing' : short(typeof of === 'string' ? of : JSON.stringify(of));
}

function short(text: string): string {
  return /^[0-9a-f]{64}$/.test(text) ? text.slice(0, 12) : text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
