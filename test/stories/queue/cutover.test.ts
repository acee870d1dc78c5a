/** A cut-over from Neo to Cloud Foundry through the bundles, both environments up at once, counted at both by id. */
import { expect, test } from 'vitest';
import { type Stage, setStage } from '../stage.ts';

const SENT_AT = Date.now();
const SINCE = SENT_AT + 3_600_000;

/** Queues on a clock of their own, an hour before the cut-over. */
async function setCutover(how: { readonly share?: number; readonly fifo?: boolean; readonly webhook?: boolean } = {}) {
  let time = SENT_AT;
  const { share = 100, fifo = false } = how;
  const stage = await setStage({
    environment: 'neo',
    plans: [{ name: 'orders', fifo }],
    cutover: { environment: 'cf', since: new Date(SINCE).toISOString(), share },
    sqsNow: () => time,
  });
  return {
    stage,
    ...both(stage),
    pass: (toMs = SINCE) => {
      time = toMs;
    },
  };
}

function both({ runtimeNode, newEnvironment }: Stage) {
  if (newEnvironment === undefined) throw new Error('expected two environments');
  const ids = ({ messages }: Stage['runtimeNode']) => messages.map(({ messageId = 'none' }) => messageId).sort();
  return { cf: newEnvironment, onNeo: () => ids(runtimeNode), onCf: () => ids(newEnvironment.runtimeNode) };
}

test('what was sent before the cut-over goes to Neo and what was sent after it to Cloud Foundry', async () => {
  const { stage, cf, onNeo, onCf, pass } = await setCutover();
  const before = stage.sendMany(5);
  pass();
  const after = stage.sendMany(5);
  await stage.poll();
  expect([onNeo(), onCf()]).toEqual([before, after]);
  expect(stage.arrivals().sort()).toEqual([...before, ...after].sort());
  expect(stage.outcomes('side', 'outcome')).toEqual({ 'old delivered': 5, 'new delivered': 5 });
  expect([stage.authorizationServer, cf.authorizationServer].map((one) => one.tokenRequests.length)).toEqual([1, 1]);
});

test('a message of before the cut-over that Neo did not take is tried on Neo again, whatever the time', async () => {
  const { stage, onNeo, onCf, pass } = await setCutover();
  await stage.runtimeNode.server.stop();
  const before = stage.sendMany(3);
  await stage.poll();
  pass();
  const after = stage.sendMany(3);
  await stage.runtimeNode.server.start();
  await stage.pollAgain();
  expect([onNeo(), onCf()]).toEqual([before, after]);
  expect(stage.outcomes('side', 'attempt', 'outcome')).toEqual({
    'old 1 failed': 3,
    'old 2 delivered': 3,
    'new 1 delivered': 3,
  });
});

test('a message of before the cut-over that is stuck keeps its group waiting, and the log says on which side', async () => {
  const { stage, onNeo, onCf, pass } = await setCutover({ fifo: true });
  await stage.runtimeNode.server.stop();
  const stuck = stage.send(stage.orders, { group: 'a' });
  pass();
  const behind = stage.send(stage.orders, { group: 'a' });
  const other = stage.send(stage.orders, { group: 'b' });
  await stage.poll();
  expect(onCf()).toEqual([other]);
  expect(stage.told('delivery.postponed')).toMatchObject([
    { side: 'new', messages: 1, reason: expect.stringContaining('belongs to the old side') },
  ]);
  await stage.runtimeNode.server.start();
  pass(SINCE + 60_000);
  await stage.poll();
  expect(onNeo()).toEqual([stuck]);
  expect(onCf()).toEqual([behind, other].sort());
});

test('a share of the messages after the cut-over goes to Cloud Foundry, and a larger one takes none back', async () => {
  const { stage, onNeo, onCf, pass } = await setCutover({ share: 40 });
  pass();
  const messages = Array.from({ length: 10 }, (_, number) => ({ attributes: { messageId: `order-${number}` } }));
  for (const message of messages) stage.send(stage.orders, message);
  await stage.poll();
  const moved = onCf();
  expect(moved.length).toBeGreaterThan(0);
  expect(onNeo()).toHaveLength(10 - moved.length);
  const settings = { ...stage.orders.settings, cutover: { ...Object(stage.orders.settings.cutover), share: 80 } };
  const { variables } = stage.deployed.queueFunction.configuration;
  await stage.deployed.queueFunction.updateEnvironment({
    ...variables,
    DESTINATIONS: JSON.stringify({ orders: settings }),
  });
  for (const message of messages) stage.send(stage.orders, message);
  await stage.poll();
  const counts = moved.map((id) => onCf().filter((other) => other === id).length);
  expect(counts, 'all that were on the new side stay there').toEqual(moved.map(() => 2));
  expect(onCf().length).toBeGreaterThan(2 * moved.length);
});

test('what Cloud Foundry lacks before the cut-over stops nothing on Neo: each side is blocked by itself', async () => {
  const { stage, cf, onNeo, onCf, pass } = await setCutover();
  stage.newSide?.unassignRole();
  const before = stage.sendMany(4);
  pass();
  const after = stage.sendMany(6);
  await stage.poll();
  expect([onNeo(), onCf()]).toEqual([before, []]);
  expect(stage.outcomes('side', 'outcome', 'status')).toEqual({ 'old delivered 200': 4, 'new blocked 403': 6 });
  stage.newSide?.assignRole();
  await stage.pollAgain();
  expect(onCf()).toEqual(after);
  expect(cf.authorizationServer.tokenRequests.length).toBeGreaterThan(0);
});

test('with the cut-over taken out everything is as before it', async () => {
  const { stage, onNeo, onCf, pass } = await setCutover();
  pass();
  const after = stage.sendMany(2);
  await stage.poll();
  const { cutover: _, ...settings } = stage.orders.settings;
  const { variables } = stage.deployed.queueFunction.configuration;
  const DESTINATIONS = JSON.stringify({ orders: settings });
  await stage.deployed.queueFunction.updateEnvironment({ ...variables, DESTINATIONS });
  const back = stage.sendMany(2);
  await stage.poll();
  expect([onCf(), onNeo()]).toEqual([after, back]);
});
