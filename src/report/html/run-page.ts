import { mask } from '../../contracts/masking.ts';
import type { RunReport } from '../../contracts/run-report.ts';
import type { RunView } from '../../contracts/run-view.ts';
import { counted, grouped, moment } from '../quantities.ts';
import { stepCounts, sweepWords } from '../run-words.ts';
import { curveChart } from './curve-chart.ts';
import { exactDuration } from './exact-duration.ts';
import { failureSection } from './failure-section.ts';
import { graphMarkup } from './graph.ts';
import { Markup, markup } from './markup.ts';
import { stateGlyph } from './states.ts';
import { listedSteps, stepList } from './step-list.ts';
import { filterRules, styleSheet } from './style-sheet.ts';
import { timelineMarkup } from './timeline.ts';

const outcomes = ['succeeded', 'cached', 'failed', 'skipped', 'cancelled'] as const;
/** Parameters that are listed. */
const mostParameters = 500;

/**
 * The report of a run: one page that needs nothing but itself. It holds no script and may ask for nothing, so that whatever stands in a document
 * or a log can do nothing either; secrets are masked.
 */
export function runPage(report: RunReport): string {
  const { view } = report;
  const listed = listedSteps(report);
  const states = [...new Set(listed.map(({ state }) => state))];
  const page = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:" />
        <meta name="generator" content="twin" />
        <link rel="icon" href="data:," />
        <title>${stateGlyph(view.status)} ${view.pipeline} ${view.status} · ${view.run}</title>
        <style>
          ${new Markup(styleSheet + filterRules(states))}
        </style>
      </head>
      <body>
        <main>
          ${headMarkup(report)}
          ${
            report.failures.length === 0
              ? null
              : markup`<section>
                  <h2 id="failures">${counted(report.failures.length, 'failure')}</h2>
                  ${failureSection(report.failures)}
                </section>`
          }
          <section>
            <h2 id="graph">Graph</h2>
            ${graphMarkup(view, new Set(listed.map(({ address }) => address)))}
          </section>
          <section>
            <h2 id="timeline">Timeline</h2>
            ${timelineMarkup(report)}
          </section>
          <section>
            <h2 id="steps">Steps</h2>
            ${stepList(report)}
          </section>
          ${
            report.curves.length === 0
              ? null
              : markup`<section>
                  <h2 id="metrics">Metrics</h2>
                  ${curvesMarkup(report.curves)}
                </section>`
          }
          ${configMarkup(view)}
          <section>
            <h2 id="environment">Environment</h2>
            <div class="table">
              <table>
                ${report.environment.map(
                  ({ name, value }) =>
                    markup`<tr>
                      <td>${name}</td>
                      <td>${value}</td>
                    </tr>`,
                )}
              </table>
            </div>
          </section>
          <footer>Written by twin on ${moment(report.at)}. This page stands alone: it loads nothing.</footer>
        </main>
      </body>
    </html> `;
  return mask(page.text);
}

function headMarkup({ view }: RunReport): Markup {
  const { status, counts, durationMs } = view;
  const total = view.steps.length;
  const word = status === 'refused' || status === 'cancelled' ? `was ${status}` : status === 'running' ? 'is running' : status;
  const told = outcomes.filter((outcome) => counts[outcome] > 0);
  const facts: readonly (readonly [string, string])[] = [
    ['started', moment(view.startedAt)],
    ['took', durationMs === null ? 'not finished' : exactDuration(durationMs)],
    ['run', view.run],
    ['by', `${view.holder.command} on ${view.holder.host}`],
    ['profile', view.profile],
    ...(view.origin === null ? [] : [['continues', view.origin] as const]),
    ...(view.setup?.sweep ? [['variant', sweepWords(view.setup.sweep)] as const] : []),
  ];
  return markup`<header>
    <div class="top">
      <h1>${view.pipeline}</h1>
      <span class="verdict ${status}">${stateGlyph(status)} ${status}</span>
    </div>
    <p class="sentence">
      ${view.pipeline} ${word}${durationMs === null ? '' : ` after ${exactDuration(durationMs)}`}:
      ${stepCounts(counts)}.${view.reason === null ? '' : ` ${sentence(view.reason)}`}
    </p>
    <div class="share" role="img" aria-label="${stepCounts(counts)}">
      ${told.map((outcome) => markup`<i class="${outcome}" style="flex:${counts[outcome]}"></i>`)}
    </div>
    <div class="legend">
      ${told.map((outcome) => markup`<span class="${outcome}"><b>${stateGlyph(outcome)} ${grouped(counts[outcome])}</b> ${outcome}</span>`)}<span
        >${counted(total, 'step')}</span
      >
    </div>
    <dl class="facts">
      ${facts.map(
        ([name, value]) =>
          markup`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
      )}
    </dl>
  </header>`;
}

function sentence(reason: string): string {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
}

function curvesMarkup(curves: RunReport['curves']): Markup {
  const bySteps = Map.groupBy(curves, ({ step }) => step);
  return markup`${[...bySteps].map(
    ([step, own]) =>
      markup`<h3>${step} <small class="note">job ${own[0]!.job.slice(0, 12)}</small></h3>
        <div class="curves">${own.map(({ curve }) => curveChart(curve))}</div>`,
  )}`;
}

/** Parameters as the steps were given them, and where each was said that is not a default. */
function configMarkup({ setup }: RunView): Markup | null {
  if (setup === null) return null;
  const all = Object.entries(setup.params).flatMap(([address, params]) => leaves(address, params));
  const isGiven = ({ address }: { readonly address: string }): boolean => !(setup.origins[address] ?? '(default)').endsWith('(default)');
  const given = all.filter(isGiven);
  const shown = [...given, ...all.filter((one) => !isGiven(one))].slice(0, mostParameters);
  if (shown.length === 0) return null;
  const rows = shown.map(
    ({ address, value }) =>
      markup`<tr>
        <td><code>${address}</code></td>
        <td>${value}</td>
        <td>${setup.origins[address] ?? 'default'}</td>
      </tr>`,
  );
  const more = all.length > shown.length ? markup`<p class="note">${grouped(all.length - shown.length)} more are left out.</p>` : null;
  return markup`<section><h2 id="configuration">Configuration</h2><details${all.length <= 20 ? new Markup(' open') : null}><summary>${counted(all.length, 'parameter')}, ${given.length} of them given</summary><div class="table"><table><tr><th>parameter</th><th>value</th><th>from</th></tr>${rows}</table></div>${more}</details></section>`;
}

function leaves(address: string, value: unknown): readonly { readonly address: string; readonly value: string }[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.entries(value).flatMap(([name, member]) => leaves(`${address}.${name}`, member));
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return [{ address, value: text.length > 300 ? `${text.slice(0, 300)}…` : text }];
}
