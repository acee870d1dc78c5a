/** What can happen to a warm value, as plain data, and how often it does in a random run. */
import fc from 'fast-check';

export type Command =
  | { readonly type: 'get' }
  | { readonly type: 'get with signal' }
  /** In place of the value that was handed out last. */
  | { readonly type: 'renew' }
  | { readonly type: 'abort'; readonly which: number }
  | { readonly type: 'settle'; readonly which: number; readonly as: 'value' | 'failure' }
  | { readonly type: 'forget'; readonly which: number }
  | { readonly type: 'expire' }
  /** All values there are become due for renewal. */
  | { readonly type: 'fall due' }
  | { readonly type: 'pass'; readonly ms: number }
  /** The renewal that runs beside it is ended. */
  | { readonly type: 'end invocation' }
  | { readonly type: 'turn' };

const which = fc.nat({ max: 7 });
export const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Command>({ type: 'get' }) },
  { weight: 4, arbitrary: fc.constant<Command>({ type: 'get with signal' }) },
  { weight: 2, arbitrary: fc.constant<Command>({ type: 'renew' }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('abort' as const), which }) },
  {
    weight: 5,
    arbitrary: fc.record({ type: fc.constant('settle' as const), which, as: fc.constantFrom('value', 'failure') }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('forget' as const), which }) },
  { weight: 1, arbitrary: fc.constant<Command>({ type: 'expire' }) },
  { weight: 3, arbitrary: fc.constant<Command>({ type: 'fall due' }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.constantFrom(1, 29_999, 30_000) }) },
  { weight: 1, arbitrary: fc.constant<Command>({ type: 'end invocation' }) },
  { weight: 7, arbitrary: fc.constant<Command>({ type: 'turn' }) },
);
