import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const tree = /## What is where\n\n```\n([\s\S]*?)```/.exec(readme)![1]!.trimEnd().split('\n');
const paths = tree.map((line) => line.split(/\s/)[0]!);

test('the tree in the README names only what is there', () => {
  expect(paths.length).toBeGreaterThan(20);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('the tree in the README names every room', () => {
  const rooms = readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && readdirSync(join(root, 'src', entry.name)).length > 0)
    .map((entry) => `src/${entry.name}/`);
  expect(rooms.filter((room) => !paths.includes(room))).toEqual([]);
});

test('every link of the documentation leads somewhere', () => {
  const pages = [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    ...readdirSync(join(root, 'docs/how-to')).map((file) => `docs/how-to/${file}`),
  ];
  const broken = pages.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)]
      .map((match) => join(root, page, '..', match[1]!))
      .filter((path) => !existsSync(path)),
  );
  expect(broken).toEqual([]);
});
