import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanHtml } from '../../src/text/clean-html.ts';
import { DropCounts } from '../../src/text/drop-counts.ts';

const markdownOf = (html: string): string => cleanHtml(html, new DropCounts());

const prose = 'It is long enough, with commas, to be taken for the article of the page. '.repeat(4).trim();
const page = `<!doctype html><html><head><title>Guide | Site</title><style>a { color: red }</style></head><body>
<nav><a href="/">Home</a> <a href="/about">About</a></nav>
<article><h1>Guide</h1><p>${prose}</p>
<h2>Setup<a href="#setup">¶</a></h2><p>Call <code>snake_case_name</code>, see <a href="https://example.com/a_b">the docs</a>.</p>
<pre><code class="language-ts">const a = 1;
const b = \`2\`;
</code></pre>
<table><thead><tr><th>Name</th><th>Value</th></tr></thead><tbody><tr><td>a|b</td><td></td></tr></tbody></table>
<ul><li>One</li><li>Two<ol start="3"><li>Three</li></ol></li></ul>
<p># no heading</p><img src="data:image/png;base64,AAAA" alt="A logo"></article>
<footer>All rights reserved</footer><script>track()</script></body></html>`;

describe('cleanHtml', () => {
  it('gives the article of a page as Markdown, with code, tables and lists', () => {
    expect(markdownOf(page)).toBe(`# Guide

${prose}

## Setup

Call \`snake_case_name\`, see [the docs](https://example.com/a_b).

\`\`\`ts
const a = 1;
const b = \`2\`;
\`\`\`

| Name | Value |
| --- | --- |
| a\\|b |  |

- One
- Two
  3. Three

\\# no heading

A logo`);
  });

  it('counts what stands around the article, and the markup', () => {
    const drops = new DropCounts();
    cleanHtml(page, drops);
    expect(drops.counts['boilerplate']).toBe('GuideHomeAboutAllrightsreserved'.length);
    const visible = page.replace(/<(script|style|title)[^]*?<\/\1>|<[^>]*>|\s|¶/g, '').length;
    expect(drops.counts['markup']).toBe(Array.from(page).length - visible);
  });

  it('keeps the whole body where it finds no article', () => {
    expect(markdownOf('<h1>Note</h1><p>Short.</p>')).toBe('# Note\n\nShort.');
  });

  it('takes a table that only lays out a page for text', () => {
    expect(markdownOf('<table><tr><td><p>Left</p></td><td><ul><li>Right</li></ul></td></tr></table>')).toBe('Left\n\n- Right');
  });

  it('reads a page that is nested too deeply for a document tree', () => {
    expect(markdownOf(`${'<div>'.repeat(5000)}deep &amp; down${'</div>'.repeat(5000)}`)).toBe('deep & down');
  });

  it('reads a page that is too large for a document tree', () => {
    const html = `<html><head><title>T</title></head><body><h2>Title</h2>${'<p>One  &lt; two.</p>'.repeat(60_000)}<pre>a\n  b</pre><script>x</script></body></html>`;
    const markdown = markdownOf(html);
    expect(markdown.startsWith('## Title\n\nOne < two.\n\nOne < two.')).toBe(true);
    expect(markdown.endsWith('```\na\n  b\n```')).toBe(true);
  });

  it('reads anything, however malformed', () => {
    const parts = [
      '<p>',
      '</p>',
      '<div>',
      '</table>',
      '<td>',
      '<svg>',
      '<html>',
      '<body>',
      '</body>',
      '<!--',
      '-->',
      '<',
      '&#55555;',
      '<pre>',
      '<li>',
      'text, ',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 20 }), (html) => {
        const drops = new DropCounts();
        expect(typeof cleanHtml(html.join(''), drops)).toBe('string');
        expect(Object.values(drops.counts).every((count) => count > 0)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
