import { expect, test } from 'vitest';
import type { Curve } from '../../src/contracts/curve.ts';
import { curveText, sparkline } from '../../src/report/curve.ts';
import { plainStyle } from '../../src/report/style.ts';

function curve(values: readonly number[]): Curve {
  const finite = values.filter((value) => Number.isFinite(value));
  return {
    name: 'loss',
    points: values.length,
    nonFinite: values.length - finite.length,
    last: values.length === 0 ? null : { step: values.length, value: values.at(-1)! },
    min: finite.length === 0 ? null : Math.min(...finite),
    max: finite.length === 0 ? null : Math.max(...finite),
    buckets: values.flatMap((value, at) =>
      Number.isFinite(value) ? [{ from: at + 1, to: at + 1, min: value, max: value, last: value }] : [],
    ),
  };
}

test('a sparkline shows how values go up and down', () => {
  expect(sparkline(curve([1, 2, 3, 4, 5, 6, 7, 8]))).toBe('▁▂▃▄▅▆▇█');
  expect(sparkline(curve([8, 8]))).toBe('▄▄');
  expect(sparkline(curve([NaN]))).toBe('');
  expect(sparkline(curve(Array.from({ length: 1000 }, (_, at) => at)), 5)).toBe('▂▄▅▇█');
});

test('a chart has its range on the left and its steps below', () => {
  const loss = Array.from({ length: 120 }, (_, at) => 4 * Math.exp(-at / 30) + 0.3 * Math.sin(at));
  expect(curveText(curve(loss), plainStyle, { width: 40, height: 6 })).toMatchInlineSnapshot(`
    "loss -0.03568 at step 120
        4.121 ┤⠚⢦⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀
              ┤⠀⠘⠚⢳⢀⡀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀
              ┤⠀⠀⠀⠘⠋⢹⣠⢤⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀
              ┤⠀⠀⠀⠀⠀⠀⠀⠘⠾⢹⣠⢶⢀⣀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀
              ┤⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠉⠈⠛⠘⠶⠛⣦⠶⣄⡴⡄⡤⡄⣠⡄⣀⡀⢀⡀⢀⡀⠀⡀⠀⠀⠀⠀⠀⠀⠀
      -0.2163 ┤⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠈⠀⠛⠁⠓⠃⠳⠇⠳⠏⠳⠞⠳⠞⠹⡼⠹⡴⠛⣦⠟⣦
              └1                                    120"
  `);
});

test('a chart of one point, of none, and of what is no number, is still a chart', () => {
  expect(curveText(curve([2.5]), plainStyle, { width: 10, height: 2 })).toMatchInlineSnapshot(`
    "loss 2.5 at step 1
      2.5 ┤⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀
      2.5 ┤⠁⠀⠀⠀⠀⠀⠀⠀⠀⠀
          └1        1"
  `);
  expect(curveText(curve([]), plainStyle)).toBe('loss\n  no points');
  expect(curveText(curve([NaN, NaN]), plainStyle)).toMatchInlineSnapshot(`
    "loss NaN at step 2
      2 of 2 points are no finite number
      no points"
  `);
});
