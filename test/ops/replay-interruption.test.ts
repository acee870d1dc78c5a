/** Which signals are one Ctrl-C, and which are a second one. */

import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { interruption } from '../../infra/ops/replay/interruption.ts';
import { createSimulatedTime } from '../doubles/time.ts';

function start() {
  const signals = new EventEmitter();
  const stdout = new EventEmitter();
  const clock = createSimulatedTime(0);
  let exits = 0;
  const exit = () => {
    exits += 1;
  };
  const signal = interruption({ signals, stdout, now: clock.now, exit });
  return {
    signals,
    stdout,
    pass: clock.advance,
    state: () => ({ aborted: signal.aborted, exits }),
  };
}

test('without a signal the run goes on', () => {
  expect(start().state()).toEqual({ aborted: false, exits: 0 });
});

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('%s', (name) => {
  test('a signal asks for an end in order, and does so once however often it is delivered within a second', () => {
    const run = start();
    for (const ms of [0, 1, 998]) {
      run.pass(ms);
      run.signals.emit(name);
      expect(run.state()).toEqual({ aborted: true, exits: 0 });
    }
  });

  test('a signal a second later ends the run at once', () => {
    const run = start();
    run.signals.emit(name);
    run.pass(1_000);
    run.signals.emit(name);
    expect(run.state()).toEqual({ aborted: true, exits: 1 });
  });

  test('a signal after another kind of signal ends the run at once', () => {
    const run = start();
    run.signals.emit(name === 'SIGINT' ? 'SIGTERM' : 'SIGINT');
    run.signals.emit(name);
    expect(run.state()).toEqual({ aborted: true, exits: 1 });
  });
});

test('a reader that went away asks for an end in order, and a signal after it does, too', () => {
  const run = start();
  run.stdout.emit('error', new Error('EPIPE'));
  run.signals.emit('SIGINT');
  expect(run.state()).toEqual({ aborted: true, exits: 0 });
});
