/**
 * How far the bench is: a bar on a terminal, a line for each part elsewhere. On stderr, so that `--json` stays clean.
 */
import { styleText } from 'node:util';

export interface Progress {
  /** A new part begins. */
  begin(title: string): void;
  expect(steps: number): void;
  step(): void;
  end(): void;
}

const WIDTH = 30;

export function createProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  let title = '';
  let expected = 0;
  let done = 0;
  let startedAt = 0;

  function draw(): void {
    if (!stream.isTTY) return;
    const share = expected === 0 ? 0 : Math.min(1, done / expected);
    const bar = '█'.repeat(Math.round(share * WIDTH)).padEnd(WIDTH, '░');
    const leftSeconds = share === 0 ? 0 : ((Date.now() - startedAt) / 1000) * (1 / share - 1);
    const left = share === 0 ? '' : `about ${Math.ceil(leftSeconds)} s left`;
    stream.write(`\r${title.padEnd(18)}${bar} ${String(Math.round(share * 100)).padStart(3)} %  ${left.padEnd(20)}`);
  }

  return {
    begin(next) {
      title = next;
      expected = 0;
      done = 0;
      startedAt = Date.now();
      if (!stream.isTTY) stream.write(`${next} …\n`);
    },
    expect(steps) {
      expected += steps;
      draw();
    },
    step() {
      done += 1;
      draw();
    },
    end() {
      const line = `${title.padEnd(18)}${styleText('green', '✓')} ${((Date.now() - startedAt) / 1000).toFixed(0)} s`;
      if (stream.isTTY) stream.write(`\r${line.padEnd(90)}\n`);
    },
  };
}
