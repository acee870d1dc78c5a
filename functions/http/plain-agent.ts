/**
 * Node's own agent in place of the socket pool, for a Node whose requests no longer speak with an agent as the pool
 * expects (`whenInternalsChange`). It uses documented means alone, costs 12 µs more CPU for each message
 * (`README.md`), and makes no connection ahead of its request.
 *
 * @see Node.js, "Class: http.Agent": `freeSockets`, `keepSocketAlive`
 */
import http, { type Agent } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { MAX_IDLE_MS, type SocketPool, type SocketPoolOptions } from './socket-pool.ts';

export function createPlainAgent({ hostname, port, secureContext, maxSockets, now }: SocketPoolOptions): SocketPool {
  const idleSince = new WeakMap<Socket, number>();
  let maxIdleMs = MAX_IDLE_MS;
  const options = {
    host: hostname,
    port,
    keepAlive: true,
    keepAliveMsecs: 1_000,
    maxSockets,
    scheduling: 'lifo',
  } as const;
  const servername = isIP(hostname) === 0 ? hostname : '';
  const agent: Agent =
    secureContext === undefined
      ? new http.Agent(options)
      : // Not imported: no cold start of a Node that is as the pool expects should load it.
        new (process.getBuiltinModule('node:https').Agent)({ ...options, secureContext, servername });
  const keepSocketAlive = agent.keepSocketAlive.bind(agent);
  agent.keepSocketAlive = (socket) => {
    idleSince.set(socket as Socket, now());
    return keepSocketAlive(socket);
  };

  function closeIdle(isOver = (_: Socket) => true): void {
    for (const sockets of Object.values(agent.freeSockets))
      for (const socket of sockets ?? []) if (isOver(socket)) socket.destroy();
  }

  return {
    get agent() {
      closeIdle((socket) => now() - (idleSince.get(socket) ?? 0) > maxIdleMs);
      return agent;
    },
    connect: () => Promise.resolve(),
    closeIdle: () => closeIdle(),
    limitIdle(limitMs) {
      maxIdleMs = Math.min(MAX_IDLE_MS, limitMs);
    },
  };
}
