/** A pipeline of four steps: documents are read from a file, each is marked by code two imports away, joined with a prompt file, and counted. */
export const whyProject: Readonly<Record<string, string>> = {
  'pipelines/index.ts': `export const pipelines = { 'notes-pipeline': async () => (await import('./notes-pipeline.ts')).notesPipeline };\n`,
  'pipelines/notes-pipeline.ts': `
import { definePipeline } from '<twin>/src/engine/define.ts';
import { countNotes } from '../steps/count-notes.ts';
import { joinNotes } from '../steps/join-notes.ts';
import { markNotes } from '../steps/mark-notes.ts';
import { readNotes } from '../steps/read-notes.ts';

export const notesPipeline = definePipeline({
  name: 'notes-pipeline',
  summary: 'Mark and join notes',
  build(pipeline) {
    const { notes } = pipeline.step(readNotes, {});
    const marked = pipeline.step(markNotes, notes);
    pipeline.step(joinNotes, { marked });
    pipeline.step(countNotes, { notes });
  },
});
`,
  'steps/shapes.ts': `
import { z } from 'zod';
import { json, rows } from '<twin>/src/contracts/artifact.ts';

export const notes = rows('notes', z.strictObject({ id: z.string(), text: z.string() }));
export const marked = rows('marked', z.strictObject({ id: z.string(), text: z.string() }));
export const joined = json('joined', z.string());
export const count = json('count', z.int());
`,
  'steps/read-notes.ts': `
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { defineStep } from '<twin>/src/engine/define.ts';
import { notes } from './shapes.ts';

export const readNotes = defineStep({
  name: 'read-notes',
  version: 1,
  summary: 'Read notes',
  params: z.strictObject({ file: z.string().default('notes.json') }),
  inputs: {},
  outputs: { notes },
  files: ({ file }) => [file],
  async run({ params, outputs }) {
    const texts = JSON.parse(readFileSync(params.file, 'utf8')) as Record<string, string>;
    for (const [id, text] of Object.entries(texts)) await outputs.notes.write({ id, text });
  },
});
`,
  'steps/mark-notes.ts': `
import { z } from 'zod';
import { defineMapStep } from '<twin>/src/engine/define.ts';
import { marker } from '../text/marker.ts';
import { marked, notes } from './shapes.ts';

export const markNotes = defineMapStep({
  name: 'mark-notes',
  version: 1,
  summary: 'Mark each note',
  params: z.strictObject({ level: z.int().default(1) }),
  input: notes,
  output: marked,
  run: ({ row, params }) => ({ id: row.id, text: marker(row.text, params.level) }),
});
`,
  'steps/join-notes.ts': `
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { defineStep } from '<twin>/src/engine/define.ts';
import { joined, marked } from './shapes.ts';

export const joinNotes = defineStep({
  name: 'join-notes',
  version: 1,
  summary: 'Join notes',
  params: z.strictObject({}),
  inputs: { marked },
  outputs: { joined },
  files: () => ['prompts/join.txt'],
  async run({ inputs, outputs }) {
    const texts: string[] = [];
    for await (const { text } of inputs.marked) texts.push(text);
    await outputs.joined.write(readFileSync('prompts/join.txt', 'utf8').trim() + texts.join(' '));
  },
});
`,
  'steps/count-notes.ts': `
import { z } from 'zod';
import { defineStep } from '<twin>/src/engine/define.ts';
import { count, notes } from './shapes.ts';

export const countNotes = defineStep({
  name: 'count-notes',
  version: 1,
  summary: 'Count notes',
  params: z.strictObject({}),
  inputs: { notes },
  outputs: { count },
  run: ({ inputs, outputs }) => outputs.count.write(inputs.notes.count),
});
`,
  'text/marker.ts': `
import { repeated } from './repeated.ts';

/** Puts marks before a text. */
export const marker = (text: string, level: number): string => repeated('#', level) + ' ' + text;
`,
  'text/repeated.ts': `
/** A text so many times. */
export const repeated = (text: string, times: number): string => text.repeat(times);
`,
  'prompts/join.txt': 'All notes: ',
  'notes.json': JSON.stringify({ a: 'one', b: 'two', c: 'three', d: 'four' }),
};
