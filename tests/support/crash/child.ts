import { crashRun } from './run.ts';

// Runs the crash pipeline on the stores of a folder, prints its events and the points that it passes, and dies at one of them.
const { folder, python, concurrency, rows, dieAt } = JSON.parse(process.argv[2]!) as {
  readonly folder: string;
  readonly python: string;
  readonly concurrency: number;
  readonly rows: number;
  readonly dieAt: string | null;
};
const print = (value: object): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
const end = await crashRun({
  folder,
  python,
  concurrency,
  rows,
  fate: {
    isLast: (point) => point === dieAt,
    reach(point) {
      if (point === dieAt) process.kill(process.pid, 'SIGKILL');
      print({ type: 'point', point });
    },
  },
  emit: print,
});
process.exitCode = end.status === 'succeeded' ? 0 : 1;
