/**
 * What a reader sees of a Markdown heading: without its marks, emphasis, code quotes, link targets, images and HTML tags.
 * `source` is the heading's lines, hash marks or underline included.
 */
export function headingText(source: string): string {
  const underlined = /\n[ \t]*(?:=+|-+)[ \t]*$/.exec(source);
  const content = underlined ? source.slice(0, underlined.index) : source.replace(/^[ \t]*#{1,6}/, '').replace(/(?:^|[ \t])#+[ \t]*$/, '');
  if (!/[`[\]<*_\\{]/.test(content)) return content.replace(/\s+/g, ' ').trim();
  const visible = shielded(content)
    .replace(/\s*\{#[\w-]+\}\s*$/, '')
    .replace(/!\[([^[\]]*)\](?:\([^()]*\)|\[[^[\]]*\])/g, '$1')
    .replace(/\[([^[\]]*)\](?:\([^()]*\)|\[[^[\]]*\])/g, '$1')
    .replace(/<\/?[a-z][^<>]*>/gi, '')
    .replace(/(\*\*|__)(?=\S)([^*_]*\S)\1/g, '$2')
    .replace(/(?<![\w*])([*_])(?=\S)([^*_]*\S)\1(?![\w*])/g, '$2')
    .replace(/\\([!-/:-@[-`{-~])/g, '$1');
  return unshielded(visible).replace(/\s+/g, ' ').trim();
}

/** Start of the private use area, where the punctuation of code spans waits while the marks around it are removed. */
const SHELTER = 0xe000;

function shielded(content: string): string {
  return content.replace(/(?<!`)(`+)(?!`)(.*?[^`])\1(?!`)/g, (_span, _quotes, code: string) =>
    code.replace(/[!-/:-@[-`{-~]/g, (mark) => String.fromCharCode(SHELTER + mark.charCodeAt(0))),
  );
}

function unshielded(content: string): string {
  return content.replace(/[\ue021-\ue07e]/g, (mark) => String.fromCharCode(mark.charCodeAt(0) - SHELTER));
}
