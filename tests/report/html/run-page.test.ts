import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { forgetSecrets, registerSecret } from '../../../src/contracts/masking.ts';
import type { RunReport } from '../../../src/contracts/run-report.ts';
import { runPage } from '../../../src/report/html/run-page.ts';
import { fallingCurve, runReport, stepView } from '../../support/run-report.ts';
import { findBinary } from '../../support/services/find-binary.ts';
import { skipWithout } from '../../support/python.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const binary = findBinary('chromium');
const evil =
  '</title></style><script>window.hacked=1;fetch("https://example.com")</script><img src="https://example.com/x.png" onerror="window.hacked=2">';

/** A run in which everything that others may write is an attack. */
function hostile(): RunReport {
  const problem = { reason: 'step-threw', message: evil, where: evil, found: evil, hint: evil, exit: 1 } as const;
  const strange = `b"'<x>`;
  const steps = [
    stepView('a', { summary: evil, counts: { [evil]: 3 } }),
    stepView(strange, { state: 'failed', problem, inputs: { in: 'a.out' }, place: evil }),
  ];
  const report = runReport(steps, {
    status: 'failed',
    failures: [
      {
        type: 'failure',
        run: 'r',
        step: strange,
        attempts: 2,
        class: 'code',
        problem,
        frame: { language: 'python', file: evil, line: 2, in: evil, source: [{ line: 2, text: evil }] },
        lastLines: [{ at: 1, stream: 'stderr', text: evil }],
        since: { run: evil, at: 1, changes: [{ part: 'params', name: evil, before: evil, after: null }] },
        similar: { count: 1, last: { run: evil, at: 1 } },
        resume: evil,
      },
    ],
    lines: new Map([['a', [{ at: 1, stream: 'stdout', text: `\u001B[31m${evil}\u0000` }]]]),
    curves: [{ step: 'a', job: evil, curve: fallingCurve(evil) }],
    environment: [{ name: evil, value: evil }],
    madeBy: new Map([['a', evil]]),
  });
  return { ...report, view: { ...report.view, pipeline: evil, reason: evil } };
}

afterEach(forgetSecrets);

describe('the report of a run', () => {
  test('holds no markup but its own, whatever stands in documents, logs and errors', () => {
    const page = runPage(hostile());
    expect(page).not.toContain('<script');
    expect(page).not.toContain('<img');
    expect(page.match(/<\/title>\s*<style>/g)).toHaveLength(1);
    expect(page).toContain('&lt;script&gt;');
    expect(page).not.toContain('\u001B');
  });

  test('shows no secret', () => {
    registerSecret('hunter22hunter');
    const page = runPage(runReport([stepView('a', { summary: 'with hunter22hunter' })]));
    expect(page).not.toContain('hunter22');
    expect(page).toContain('with ***');
  });

  test('stays small for ten thousand steps, keeps those that failed, and says what it leaves out', () => {
    const steps = Array.from({ length: 10_000 }, (_, at) =>
      stepView(`step-${at}`, {
        state: at === 9000 ? 'failed' : 'cached',
        durationMs: at,
        inputs: at === 0 ? {} : { in: `step-${at - 1}.out` },
      }),
    );
    const page = runPage(runReport(steps, { status: 'failed' }));
    expect(page.length).toBeLessThan(2_000_000);
    expect(page).toContain('>step-9000<');
    expect(page).toContain('9,000 steps are left out here');
    expect(page).toContain('10,000 steps are too many to draw');
  });
});

if (binary === null) skipWithout('chromium');

describe.skipIf(binary === null)('the report of a run in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    const quiet = ['--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
    browser = await chromium.launch({ executablePath: binary!, args: ['--headless', '--no-sandbox', '--disable-gpu', ...quiet] });
  }, 60_000);
  afterAll(() => browser.close());

  const opened = async (report: RunReport, width = 1280) => {
    const path = join(await temporaryFolder(), 'report.html');
    await writeFile(path, runPage(report));
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    const told: string[] = [];
    page.on('console', (message) => told.push(message.text()));
    page.on('pageerror', (error) => told.push(error.message));
    page.on('request', (request) => told.push(request.url() === `file://${path}` ? 'the page' : request.url()));
    await page.goto(`file://${path}`);
    return { page, told };
  };

  test.each([
    ['a hostile run on a desk', 1280, hostile()],
    ['a hostile run on a phone', 390, hostile()],
    ['a run of nothing', 1280, runReport([])],
    ['a run that goes on', 390, runReport([stepView('a', { state: 'running', durationMs: null })], { status: 'running' })],
  ])(
    '%s renders without a complaint, a script or a request, and no wider than the window',
    { timeout: 60_000 },
    async (_, width, report) => {
      const { page, told } = await opened(report, width);
      for (const step of await page.locator('details.step summary').all()) await step.click();
      expect(told).toEqual(['the page']);
      const found = '[window.hacked ?? null, document.scripts.length, document.documentElement.scrollWidth <= innerWidth]';
      expect(await page.evaluate(found)).toEqual([null, 0, true]);
      expect(await page.locator('h1').textContent()).toBe(report.view.pipeline);
    },
  );

  test('a filter shows the steps of one outcome alone, and a node of the graph leads to its step', { timeout: 60_000 }, async () => {
    const steps = [stepView('a'), stepView('b', { state: 'cached' }), stepView('c', { state: 'skipped', inputs: { in: 'a.out' } })];
    const { page } = await opened(runReport(steps));
    const visible = () => page.locator('details.step:visible .address').allTextContents();
    expect(await visible()).toEqual(['a', 'b', 'c']);
    await page.locator('label', { hasText: 'cached' }).click();
    expect(await visible()).toEqual(['b']);
    await page.locator('label', { hasText: 'all' }).click();
    await page.locator('svg.graph a').last().click();
    expect(page.url()).toContain('#step-c');
    expect(await page.locator('#step-c').isVisible()).toBe(true);
  });
});
