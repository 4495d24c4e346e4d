import { extname, basename } from 'node:path';
import type { ContentType } from '../contracts/document.ts';

/** How the bytes of a file are to be taken: as one document, or as records that each are one. */
export type ContentKind =
  | { readonly kind: 'document'; readonly contentType: ContentType; readonly language: string | null }
  | { readonly kind: 'json' }
  | { readonly kind: 'json-lines' };

const markdown = ['md', 'mdx', 'markdown', 'mkd', 'qmd'];
const text = ['txt', 'text', 'rst', 'adoc', 'asciidoc', 'org', 'tex'];
const html = ['html', 'htm', 'xhtml'];

/** Programming and configuration languages by extension. */
const languages: Readonly<Record<string, string>> = {
  bash: 'shell',
  bat: 'batch',
  c: 'c',
  cc: 'cpp',
  cjs: 'javascript',
  clj: 'clojure',
  cpp: 'cpp',
  cs: 'csharp',
  css: 'css',
  cts: 'typescript',
  cu: 'cuda',
  cxx: 'cpp',
  dart: 'dart',
  erl: 'erlang',
  ex: 'elixir',
  exs: 'elixir',
  fs: 'fsharp',
  go: 'go',
  gradle: 'groovy',
  graphql: 'graphql',
  groovy: 'groovy',
  h: 'c',
  hpp: 'cpp',
  hs: 'haskell',
  ini: 'ini',
  java: 'java',
  jl: 'julia',
  js: 'javascript',
  jsx: 'javascript',
  kt: 'kotlin',
  kts: 'kotlin',
  lua: 'lua',
  m: 'objective-c',
  mjs: 'javascript',
  ml: 'ocaml',
  mts: 'typescript',
  nix: 'nix',
  php: 'php',
  pl: 'perl',
  proto: 'protobuf',
  ps1: 'powershell',
  py: 'python',
  pyi: 'python',
  r: 'r',
  rb: 'ruby',
  rs: 'rust',
  scala: 'scala',
  scss: 'scss',
  sh: 'shell',
  sol: 'solidity',
  sql: 'sql',
  svelte: 'svelte',
  swift: 'swift',
  tf: 'terraform',
  toml: 'toml',
  ts: 'typescript',
  tsx: 'typescript',
  vue: 'vue',
  xml: 'xml',
  yaml: 'yaml',
  yml: 'yaml',
  zig: 'zig',
  zsh: 'shell',
};

const byExtension = new Map<string, ContentKind>([
  ...markdown.map((extension) => [extension, document('markdown')] as const),
  ...text.map((extension) => [extension, document('text')] as const),
  ...html.map((extension) => [extension, document('html')] as const),
  ...Object.entries(languages).map(([extension, language]) => [extension, document('code', language)] as const),
  ['json', { kind: 'json' }],
  ['jsonl', { kind: 'json-lines' }],
  ['ndjson', { kind: 'json-lines' }],
]);

const byName = new Map<string, ContentKind>([
  ['dockerfile', document('code', 'dockerfile')],
  ['makefile', document('code', 'makefile')],
  ...['readme', 'license', 'licence', 'changelog', 'authors', 'notice', 'contributing'].map((name) => [name, document('text')] as const),
]);

function document(contentType: ContentType, language: string | null = null): ContentKind {
  return { kind: 'document', contentType, language };
}

/** What a file's name says about its content; null where it says nothing that twin can read. */
export function contentKindOf(path: string): ContentKind | null {
  const extension = extname(path).slice(1).toLowerCase();
  return (extension === '' ? byName.get(basename(path).toLowerCase()) : byExtension.get(extension)) ?? null;
}
