/**
 * Node's own agent stands in for the socket pool where Node's requests no longer speak with an agent as the pool
 * expects.
 */
import { EventEmitter } from 'node:events';
import http, { ClientRequest } from 'node:http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createEnvironment } from '../../functions/environment.ts';
import { createHttpClient } from '../../functions/http/http.ts';
import { readSettings } from '../../functions/settings/settings.ts';
import { quietTelemetry } from '../doubles/telemetry.ts';
import { post } from './call.ts';
import { reply, startWire } from './wire.ts';

afterEach(() => void vi.restoreAllMocks());
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

const changes: readonly (readonly [what: string, plant: () => void, why: RegExp])[] = [
  [
    'asks nothing of its agent',
    () =>
      vi
        .spyOn(http, 'request')
        .mockReturnValue(Object.assign(new EventEmitter(), { destroy: () => undefined }) as never),
    /^a request does not call addRequest/,
  ],
  [
    'takes no agent that is not of a class of its own',
    () =>
      vi.spyOn(http, 'request').mockImplementation(() => {
        throw new TypeError('expected an instance of Agent');
      }),
    /^expected an instance of Agent$/,
  ],
  [
    'takes no socket by onSocket',
    () => vi.spyOn(ClientRequest.prototype, 'onSocket').mockImplementation(() => undefined),
    /"free"/,
  ],
];

describe.each(changes)('Where a request %s,', (_, plant, why) => {
  test('calls go by Node\u2019s own agent, on kept sockets, and it is told once', async () => {
    plant();
    const told: string[] = [];
    const send = createHttpClient({ onPlainAgent: (what) => told.push(what) });
    await nextTurn();
    vi.restoreAllMocks();
    const requests = vi.spyOn(http, 'request');
    const wire = await startWire(({ socket }) => void socket.write(reply()));
    for (let call = 0; call < 3; call += 1) expect(await send(post(wire.url))).toMatchObject({ status: 200 });
    expect(wire.made()).toBe(1);
    expect(told).toEqual([expect.stringMatching(why)]);
    for (const [options] of requests.mock.calls) expect(options).toMatchObject({ agent: expect.any(http.Agent) });
  });
});

test('A call that was made before it was found out has its answer, too', async () => {
  vi.spyOn(ClientRequest.prototype, 'onSocket').mockImplementationOnce(() => undefined);
  const told: string[] = [];
  const wire = await startWire(({ socket }) => void socket.write(reply()));
  const send = createHttpClient({ onPlainAgent: (what) => told.push(what) });
  const url = wire.url;
  const early = send(post(url));
  expect(told).toEqual([]);
  expect(await early).toMatchObject({ status: 200 });
  expect(told).toHaveLength(1);
  for (let call = 0; call < 2; call += 1) expect(await send(post(url))).toMatchObject({ status: 200 });
  expect(wire.made()).toBe(2);
});

test('Where Node is as the pool expects, nothing is told, and nothing leaves the process', async () => {
  const told: string[] = [];
  const connect = vi.spyOn(http.Agent.prototype, 'createConnection' as never);
  createHttpClient({ onPlainAgent: (what) => told.push(what) });
  await nextTurn();
  expect(told).toEqual([]);
  expect(connect).not.toHaveBeenCalled();
});

test('An environment says in its log that it has Node\u2019s own agent', () => {
  vi.spyOn(http, 'request').mockImplementation(() => {
    throw new Error('changed');
  });
  const problems: unknown[] = [];
  const settings = readSettings({
    DESTINATIONS: JSON.stringify({ orders: { secret: 'x', url: 'https://flows.example.com/' } }),
  });
  createEnvironment({
    settings,
    outside: { telemetry: quietTelemetry({ problem: (...problem) => problems.push(problem) }) },
  });
  expect(problems).toEqual([['http.plain-agent', { reason: 'changed' }]]);
});
