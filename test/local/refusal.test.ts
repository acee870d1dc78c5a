/** The line for a call that somebody in the landscape refused: the whole reason, and whether it is as usual. */
import { expect, test } from 'vitest';
import { refusalLine } from '../../infra/local/command/refusal.ts';
import type { Fact } from '../../infra/local/facts/fact.ts';

const at = Date.parse('2026-11-23T22:44:58.583Z');

function called(method: string, status: number, why: string): Fact {
  const event = { what: 'call', at, method, path: '/http/orders', status, why };
  return { of: 'runtime-node', event } as unknown as Fact;
}

test.each([
  [
    called('POST', 403, 'the flow wants a CSRF token, and the cookies of its session'),
    '22:44:58  POST /http/orders  403: the flow wants a CSRF token, and the cookies\n' +
      '          of its session (normal: the relay then asks for one)',
  ],
  [
    called('OPTIONS', 405, 'the flow does not take OPTIONS'),
    '22:44:58  OPTIONS /http/orders  405: the flow does not take OPTIONS (normal: npm\n          run doctor asks so)',
  ],
  [called('POST', 403, 'the client has no role'), '22:44:58  POST /http/orders  403: the client has no role'],
  [called('OPTIONS', 403, 'the client has no role'), '22:44:58  OPTIONS /http/orders  403: the client has no role'],
])('%j is told whole, and as usual only where it is', (fact, line) => {
  expect(refusalLine(fact, 80)).toBe(line);
});

test('what is no terminal gets each refusal as one line', () => {
  const fact = called('OPTIONS', 405, 'the flow does not take OPTIONS');
  expect(refusalLine(fact, Number.POSITIVE_INFINITY)).toBe(
    '22:44:58  OPTIONS /http/orders  405: the flow does not take OPTIONS (normal: npm run doctor asks so)',
  );
});
