import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'twin-start-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The modules that a command line loads, as URLs in the order of loading. */
function modulesOf(...line: readonly string[]): readonly string[] {
  const list = join(folder, 'modules.txt');
  const spy = `
    import { appendFileSync } from 'node:fs';
    import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) { appendFileSync(${JSON.stringify(list)}, url + '\\n'); return next(url, context); } });
  `;
  const flags = ['--import', `data:text/javascript,${encodeURIComponent(spy)}`];
  execFileSync(process.execPath, [...flags, join(root, 'bin', 'twin.js'), ...line], { cwd: folder, stdio: 'pipe' });
  return readFileSync(list, 'utf8').trimEnd().split('\n');
}

test('start-up loads neither the yaml package nor the languages of zod, and each file once', () => {
  const modules = modulesOf('config', 'show', 'nightly');
  const own = pathToFileURL(root).href;
  expect(modules).toContain(`${own}/src/engine/define.ts`);
  expect(modules).toContain(`${own}/node_modules/zod/v4/locales/en.js`);
  expect(modules.filter((url) => /node_modules\/(yaml|rolldown|execa)\//.test(url))).toEqual([]);
  expect(modules.filter((url) => url.includes('/locales/'))).toHaveLength(1);
  expect(new Set(modules).size).toBe(modules.length);
  expect(modules.length).toBeLessThan(330);
});

test('help loads commander and its declarations alone', () => {
  const packages = modulesOf('--help').filter((url) => url.includes('/node_modules/'));
  expect(packages.filter((url) => !url.includes('/node_modules/commander/'))).toEqual([]);
});
