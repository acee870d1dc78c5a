/** `npm run doctor -- --cutover`: both sides looked at without a message, how they differ, and whether the cut may happen. */
import { expect, test } from 'vitest';
import { type Examination, type Plan, startExamination } from './examination.ts';

const HOUR_MS = 3_600_000;
const isoAt = (ms: number) => new Date(ms).toISOString();
const NEO: Plan['landscape'] = { environment: 'neo' };
const later = () => isoAt(Date.now() + HOUR_MS);
const earlier = () => isoAt(Date.now() - HOUR_MS);

async function told(examination: Examination, argv: readonly string[] = ['--cutover']) {
  const { code, lines } = await examination.lines(argv);
  return { code, lines, ofCutover: lines.filter(({ group }) => group === 'cutover') };
}

test('a cut-over that lies ahead may happen where both sides are reached, and their differences are listed', async () => {
  await using examination = await startExamination({ landscape: NEO, cutover: { since: later(), share: 10 } });
  const { code, lines, ofCutover } = await told(examination);
  expect(code).toBe(0);
  for (const side of ['old', 'new'])
    expect(lines.filter((line) => line.side === side && line.id === 'access')).toMatchObject([{ result: 'ok' }]);
  expect(ofCutover.map(({ id }) => id)).toEqual(['differs-secret', 'differs-token', 'cutover']);
  expect(ofCutover[0]?.reason).toMatch(
    /^secret: old side: cpi\/orders: Neo.*; new side: cpi\/orders-cf: Cloud Foundry/,
  );
  expect(ofCutover[1]?.reason).toMatch(/^token: old side: JWT, .*; new side: JWT, .* for 3[56]\d\d s, /);
  expect(ofCutover[2]?.reason).toMatch(/^the cut may happen: at .*, for 10 % of what is sent from then on$/);
  expect(examination.landscape.runtimeNode.messages, 'no message is sent').toEqual([]);
});

test('a cut-over must not happen while its new side lacks the role', async () => {
  await using examination = await startExamination({ landscape: NEO, cutover: { since: later(), assignRole: false } });
  const { code, lines, ofCutover } = await told(examination);
  expect(code).toBe(1);
  expect(lines.filter(({ result }) => result === 'error')).toMatchObject([
    { id: 'role-missing', side: 'new' },
    { id: 'cutover-not-ready', reason: expect.stringContaining('must not happen yet: errors, 1 on the new side') },
  ]);
  expect(ofCutover.at(-1)?.anchor).toContain('#cutover-not-ready');
});

test('a cut-over that was: the old side is idle where nothing of before is left', async () => {
  await using examination = await startExamination({ landscape: NEO, cutover: { since: earlier() } });
  const { code, ofCutover } = await told(examination);
  expect(code).toBe(0);
  expect(ofCutover.at(-1)).toMatchObject({
    result: 'ok',
    reason: expect.stringMatching(/the cut was at .*old side idle since then or soon after: nothing is in the queue$/),
  });
});

test('settings that came after their own since are a warning, with the number of messages that may change sides', async () => {
  const time = Date.now();
  await using examination = await startExamination({
    landscape: { ...NEO, sqsNow: () => time - 2 * HOUR_MS },
    cutover: { since: earlier() },
    deploy: { polling: false },
  });
  const { orders, landscape } = examination;
  for (const body of ['{"order":1}', '{"order":2}']) orders.queue.send({ body });
  orders.deadLetterQueue.send({ body: '{"order":3}' });
  landscape.management.functions.tell('token-relay-local-queue', { LastModified: isoAt(time) });
  const { code, ofCutover } = await told(examination);
  expect(code).toBe(1);
  expect(ofCutover.find(({ id }) => id === 'cutover-moved')).toMatchObject({
    result: 'warning',
    reason: expect.stringMatching(/later than orders\.cutover\.since: if .*, \d messages and 1 dead letters at most/),
  });
});

test('without --cutover both sides are looked at, and nothing is compared', async () => {
  await using examination = await startExamination({ landscape: NEO, cutover: { since: later() } });
  const { lines, ofCutover } = await told(examination, []);
  expect(ofCutover).toEqual([]);
  expect(new Set(lines.filter(({ group }) => group === 'token').map(({ side }) => side))).toEqual(
    new Set(['old', 'new']),
  );
  const { out } = await examination.run([]);
  expect(out).toContain('\norders, old side\n');
  expect(out).toContain('\norders, new side\n');
});

test('--cutover of destinations without one is a mistake, and so are words that contradict it', async () => {
  await using examination = await startExamination();
  for (const argv of [['--cutover'], ['--cutover', '--ticket'], ['--cutover', '--send', 'order.json']]) {
    expect(await examination.run(argv)).toMatchObject({ code: 2, notes: expect.stringContaining('--cutover') });
  }
});
