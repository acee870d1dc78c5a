/**
 * The accounting itself: what it finds when a message is missing, came too often or too early, or is logged wrongly.
 */
import { expect, test } from 'vitest';
import { type Account, account, type Causes, type Evidence, isInOrder, type Letter, type Run } from './accounting.ts';
import type { Sent } from './traffic.ts';

const NOTHING: Causes = {
  again: new Map(),
  unknown: new Map(),
  killed: new Map(),
  interrupted: new Map(),
  unconfirmed: new Map(),
};
const sent = (messageId: string, more: Partial<Sent> = {}): Sent => ({
  messageId,
  recordId: `record ${messageId}`,
  place: 1,
  bodySha256: `sha of ${messageId}`,
  verdict: 200,
  ...more,
});
const run = (messageId: string, more: Partial<Run> = {}): Run => ({
  messageId,
  bodySha256: `sha of ${messageId}`,
  status: 200,
  ...more,
});
const letter = (messageId: string, status: number, outcome = 'rejected'): Letter => ({
  recordId: `letter of ${messageId}`,
  told: { messageId, outcome, status },
});
const GROUP = [1, 2, 3].map((place) => sent(`a${place}`, { group: 'a', place }));
const books = (evidence: Partial<Evidence>): Account =>
  account({ sent: [], runs: [], letters: [], causes: NOTHING, ...evidence });

test('a run in which all is delivered, or dead-lettered with a true reason, is in order', () => {
  const result = books({
    sent: [sent('1'), sent('2', { verdict: 422 }), ...GROUP],
    runs: [run('1'), run('2', { status: 422 }), run('a1'), run('a2'), run('a3')],
    letters: [letter('2', 422)],
  });
  expect(isInOrder(result)).toBe(true);
  expect(result).toMatchObject({ sent: 5, delivered: 4, deadLetters: { 'rejected 422': 1 }, duplicates: {} });
});

test.each<{ what: string; evidence: Partial<Evidence>; found: Partial<Account> }>([
  { what: 'a message that is nowhere', evidence: { sent: [sent('1')] }, found: { lost: ['1'] } },
  {
    what: 'a message on which the flow only ever failed',
    evidence: { sent: [sent('1')], runs: [run('1', { status: 500 })] },
    found: { lost: ['1'] },
  },
  {
    what: 'a delivery too many without a cause',
    evidence: { sent: [sent('1')], runs: [run('1'), run('1')] },
    found: { untrue: ['1 was delivered 2 times, 1 of them for no reason'] },
  },
  {
    what: 'two deliveries too many with one cause',
    evidence: {
      sent: [sent('1')],
      runs: [run('1'), run('1'), run('1')],
      causes: { ...NOTHING, killed: new Map([['1', 1]]) },
    },
    found: { duplicates: { killed: 1 }, untrue: ['1 was delivered 3 times, 1 of them for no reason'] },
  },
  {
    what: 'a delivery too many whose cause the relay did not tell',
    evidence: {
      sent: [sent('1')],
      runs: [run('1'), run('1')],
      causes: { ...NOTHING, interrupted: new Map([['1', 1]]) },
    },
    found: { untold: ['1 was delivered 2 times, 1 of them untold'], untrue: [] },
  },
  {
    what: 'an overtaking within a group',
    evidence: { sent: GROUP, runs: [run('a1'), run('a3'), run('a2')] },
    found: { orderBroken: ['a: 2 came after 3', 'a: 2 came after 3'] },
  },
  {
    what: 'an overtaking of one that failed at first',
    evidence: { sent: GROUP, runs: [run('a1', { status: 500 }), run('a2'), run('a1'), run('a3')] },
    found: { orderBroken: ['a: 1 came after 2'] },
  },
  {
    what: 'a good message that was dead-lettered',
    evidence: { sent: [sent('1')], letters: [letter('1', 422)] },
    found: { untrue: [expect.stringContaining('a wrong reason')] },
  },
  {
    what: 'a refused message with another status',
    evidence: { sent: [sent('1', { verdict: 400 })], letters: [letter('1', 422)] },
    found: { untrue: [expect.stringContaining('a wrong reason')] },
  },
  {
    what: 'a message that was given up too early',
    evidence: { sent: [sent('1', { verdict: 422 })], letters: [letter('1', 422, 'failed')] },
    found: { untrue: [expect.stringContaining('a wrong reason')] },
  },
  {
    what: 'a message that SQS itself moved',
    evidence: { sent: [sent('1')], letters: [{ recordId: '1', told: undefined }] },
    found: { untrue: ['1 is a dead letter without a reason'] },
  },
  {
    what: 'a second letter without a cause',
    evidence: { sent: [sent('1', { verdict: 422 })], letters: [letter('1', 422), letter('1', 422)] },
    found: { duplicateLetters: 1, untrue: ['1 was dead-lettered 2 times, 1 of them for no reason'] },
  },
  {
    what: 'one that was delivered and dead-lettered',
    evidence: { sent: [sent('1', { verdict: 422 })], runs: [run('1')], letters: [letter('1', 422)] },
    found: { untrue: ['1 was delivered and dead-lettered'] },
  },
  {
    what: 'another body',
    evidence: { sent: [sent('1')], runs: [run('1', { bodySha256: 'another' })] },
    found: { untrue: ['1 arrived with another body'] },
  },
  {
    what: 'a stranger',
    evidence: { runs: [run('1')] },
    found: { untrue: ['1 arrived and was never sent'] },
  },
])('the accounting finds $what', ({ evidence, found }) => {
  const result = books(evidence);
  expect(result).toMatchObject(found);
  expect(isInOrder(result)).toBe(false);
});

test('a message that came again for a known cause is in order', () => {
  const runs = [run('a1'), run('a1'), run('a2'), run('a1'), run('a3')];
  const causes = { ...NOTHING, unknown: new Map([['a1', 1]]), killed: new Map([['a1', 1]]) };
  const result = books({ sent: GROUP, runs, causes });
  expect(isInOrder(result)).toBe(true);
  expect(result.duplicates).toEqual({ unknown: 1, killed: 1 });
});
