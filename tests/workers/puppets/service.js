// A service that does what it is told: `echo`, `pieces`, `fail`, `die`, `hang`, `garbage`, `pid`; it ends when its input does.
import { appendFileSync, writeSync } from 'node:fs';

const [greeting = 'hello', log = '/dev/null'] = process.argv.slice(2);
const reply = (line) => writeSync(3, `${JSON.stringify(line)}\n`);

if (greeting === 'die') {
  process.stderr.write('ImportError: no module named torch\n');
  process.exit(1);
}
if (greeting === 'hello') reply({ hello: { v: 1, service: 'puppet', pid: process.pid, data: { dimension: 3 } } });
if (greeting === 'newer') reply({ hello: { v: 2, service: 'puppet', pid: process.pid, data: {} } });

async function* requests() {
  let rest = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    yield* lines.map((line) => JSON.parse(line));
  }
}

for await (const { id, method, data } of requests()) {
  appendFileSync(log, `${method} ${JSON.stringify(data)}\n`);
  if (method === 'echo') reply({ id, data });
  if (method === 'pid') reply({ id, data: { pid: process.pid } });
  if (method === 'pieces') {
    for (const piece of data.pieces) reply({ id, piece: { text: piece } });
    reply({ id, data: { count: data.pieces.length } });
  }
  if (method === 'fail') reply({ id, error: { reason: 'too-long', message: 'The text has 900 tokens, 512 fit.' } });
  if (method === 'garbage') writeSync(3, 'Downloading model: 10%\n');
  if (method === 'leave-once') {
    if (data.pid === process.pid) process.exit(0);
    reply({ id, data: { pid: process.pid } });
  }
  if (method === 'die' || (method === 'die-once' && data.pid === process.pid)) {
    process.stderr.write('Segmentation fault\n');
    process.kill(process.pid, 'SIGKILL');
  }
  if (method === 'die-once' && data.pid !== process.pid) reply({ id, data: { pid: process.pid } });
}
