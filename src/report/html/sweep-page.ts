import { mask } from '../../contracts/masking.ts';
import type { SweepReport } from '../../contracts/sweep.ts';
import { counted, moment } from '../quantities.ts';
import { bestFirst, sweepMetrics, valueText } from '../results/sweep.ts';
import { metricNumber } from '../run-words.ts';
import { curveChart } from './curve-chart.ts';
import { exactDuration } from './exact-duration.ts';
import { Markup, markup } from './markup.ts';
import { styleSheet } from './style-sheet.ts';

/** The report of a sweep: a table of its variants, the best first, and their curves; it holds no script, loads nothing, and links the reports of its runs beside it. */
export function sweepPage({ sweep, pipeline, variants, durationMs, curves, at }: SweepReport): string {
  const addresses = Object.keys(variants[0]?.values ?? {});
  const metrics = sweepMetrics.filter((name) => variants.some(({ job }) => job?.metrics[name] !== undefined));
  const sorted = bestFirst(variants);
  const rows = sorted.map(
    ({ variant, values, status, durationMs: took, job, run, problem }) =>
      markup`<tr>
        <td>${variant}</td>
        ${addresses.map((address) => markup`<td>${valueText(values[address])}</td>`)}
        <td class="${status}"><span class="state">${status}</span> ${problem ?? ''}</td>
        ${metrics.map((name) => markup`<td>${job?.metrics[name] === undefined ? '' : metricNumber(job.metrics[name])}</td>`)}
        <td>${status === 'not-run' ? '' : exactDuration(took)}</td>
        <td><code>${job?.job.slice(0, 12) ?? ''}</code></td>
        <td>${run === null ? '' : markup`<a href="${run}.html">${run}</a>`}</td>
      </tr>`,
  );
  const charts = sorted.flatMap(({ variant, values }) => {
    const curve = curves.get(variant);
    const words = Object.values(values).map((value) => valueText(value));
    return curve === undefined ? [] : [curveChart({ ...curve, name: `${variant}: ${words.join(', ')}` })];
  });
  const titles = ['variant', ...addresses, 'status', ...metrics, 'time', 'job', 'run'];
  const page = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width,initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:" />
        <meta name="generator" content="twin" />
        <link rel="icon" href="data:," />
        <title>${pipeline} · ${sweep}</title>
        <style>
          ${new Markup(styleSheet)}
        </style>
      </head>
      <body>
        <main>
          <header>
            <h1>${pipeline}</h1>
            <p class="sentence">${sweep}: ${counted(variants.length, 'variant')} after ${exactDuration(durationMs)}.</p>
          </header>
          <section>
            <h2 id="variants">Variants</h2>
            <div class="table"><table><tr>${titles.map((title) => markup`<th>${title}</th>`)}</tr>${rows}</table></div>
          </section>
          ${
            charts.length === 0
              ? null
              : markup`<section>
                  <h2 id="loss">Loss</h2>
                  <div class="curves">${charts}</div>
                </section>`
          }
          <footer>Written by twin on ${moment(at)}. This page stands alone: it loads nothing.</footer>
        </main>
      </body>
    </html> `;
  return mask(page.text);
}
