/**
 * The worker nodes behind a runtime node's one host, and the load balancer in front of them: its routing cookie leads
 * back to the worker that set it, all else goes round. A worker can be made to refuse every token, as one did that came
 * up without its authentication filter (fixed in 2021). Sessions are for `csrf.ts`.
 */
import type { Request } from '../../server/server.ts';
import type { Environment } from '../cockpit/oauth-client.ts';
import { hex, type RandomBytes } from '../identifiers.ts';

export interface WorkerNodes {
  /** Index of the worker that gets the request. */
  route(request: Request): number;
  /** Name and value of the cookie that leads to the worker. */
  routingCookie(worker: number): readonly [string, string];
  /** From now on, or no longer. Throws an Error when there is no such worker. */
  refuseTokens(worker: number, refuses: boolean): void;
  refusesTokens(worker: number): boolean;
}

export interface WorkerNodesOptions {
  readonly environment: Environment;
  /** Part of Neo's cookie name `BIGipServer<host>`. */
  readonly host: string;
  readonly count: number;
  readonly random: RandomBytes;
}

/** `count` workers, all well. Throws an Error for none. */
export function createWorkerNodes({ environment, host, count, random }: WorkerNodesOptions): WorkerNodes {
  if (count < 1) throw new Error('workers: a runtime node has at least one');
  // F5's cookie begins with `!`; cf-deployment's is the id of the application instance.
  const cookie = environment === 'neo' ? `BIGipServer${host}` : '__VCAP_ID__';
  const routes = Array.from({ length: count }, () =>
    environment === 'neo' ? `!${unencoded(random, 12)}` : hex(random, 16),
  );
  const refusing = new Set<number>();
  let turn = 0;

  return {
    route: (request) => {
      const routed = routes.indexOf(readCookies(request).get(cookie) ?? '');
      return routed < 0 ? turn++ % count : routed;
    },
    routingCookie: (worker) => [cookie, routes[worker] ?? ''],
    refuseTokens: (worker, refuses) => {
      if (routes[worker] === undefined) throw new Error(`worker: there is no worker ${worker} of ${count}`);
      if (refuses) refusing.add(worker);
      else refusing.delete(worker);
    },
    refusesTokens: (worker) => refusing.has(worker),
  };
}

/** A value that URL-encoding would change: "cookies … must be returned un-encoded" (SAP note 2681175). */
export function unencoded(random: RandomBytes, size: number): string {
  return `${Buffer.from(random(size)).toString('base64')}/+!==`;
}

/** The request's cookies by name, values as they stand. */
export function readCookies({ headers }: Request): ReadonlyMap<string, string> {
  const pairs = (headers.cookie ?? '').split(/; */).map((pair): [string, string] => {
    const at = pair.indexOf('=');
    return [pair.slice(0, Math.max(at, 0)), pair.slice(at + 1)];
  });
  return new Map(pairs);
}
